/** Checks of node selectors and of affinity to nodes and pods. Upstream: pkg/apis/core/validation/validation.go. */
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  WeightedPodAffinityTerm,
} from '../../../generated/core-v1.ts';
import type { LabelSelector } from '../../../generated/meta-v1.ts';
import { checkLabelValue, nameIsDnsLabel, nameIsDnsSubdomain } from '../../../meta/names.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { addInvalid, checkLabelKey, checkSelector, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

export function checkAffinity(errors: Errors, path: string, affinity: Affinity): void {
  const nodes = affinity.nodeAffinity;
  if (nodes?.[required]) checkNodeSelector(errors, `${path}.nodeAffinity.${required}`, nodes[required]);
  nodes?.[preferred]?.forEach((term, i) => {
    const at = `${path}.nodeAffinity.${preferred}[${i}]`;
    checkWeight(errors, `${at}.weight`, term.weight);
    checkNodeTerm(errors, `${at}.preference`, term.preference, { anyValue: true });
  });
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    affinity[field]?.[required]?.forEach((term, i) => {
      checkPodTerm(errors, `${path}.${field}.${required}[${i}]`, term);
    });
    affinity[field]?.[preferred]?.forEach((term: WeightedPodAffinityTerm, i) => {
      const at = `${path}.${field}.${preferred}[${i}]`;
      checkWeight(errors, `${at}.weight`, term.weight);
      checkPodTerm(errors, `${at}.podAffinityTerm`, term.podAffinityTerm);
    });
  }
}

function checkWeight(errors: Errors, path: string, weight: number): void {
  if (weight <= 0 || weight > 100) errors.push(fieldErrors.invalid(path, weight, 'must be in the range 1-100'));
}

export function checkNodeSelector(errors: Errors, path: string, selector: NodeSelector): void {
  const at = `${path}.nodeSelectorTerms`;
  const terms = listOf(selector.nodeSelectorTerms);
  if (!terms.length) errors.push(fieldErrors.required(at, 'must have at least one node selector term'));
  terms.forEach((term, i) => {
    checkNodeTerm(errors, `${at}[${i}]`, term, { anyValue: false });
  });
}

function checkNodeTerm(errors: Errors, path: string, term: NodeSelectorTerm, options: { readonly anyValue: boolean }): void {
  term.matchExpressions?.forEach((requirement, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    checkOperator(errors, at, requirement);
    checkLabelKey(errors, `${at}.key`, requirement.key);
    if (options.anyValue) return;
    requirement.values?.forEach((value, j) => {
      addInvalid(errors, `${at}.values[${j}]`, value, checkLabelValue(value));
    });
  });
  term.matchFields?.forEach((requirement, i) => {
    checkFieldRequirement(errors, `${path}.matchFields[${i}]`, requirement);
  });
}

function checkOperator(errors: Errors, path: string, { operator, values }: NodeSelectorRequirement): void {
  const count = values?.length ?? 0;
  if (operator === 'In' || operator === 'NotIn') {
    if (!count) errors.push(fieldErrors.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (count) errors.push(fieldErrors.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (count !== 1) errors.push(fieldErrors.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(fieldErrors.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
}

function checkFieldRequirement(errors: Errors, path: string, requirement: NodeSelectorRequirement): void {
  const { key, operator, values } = requirement;
  const isSet = (text: string): boolean => text === 'In' || text === 'NotIn';
  if (!isSet(operator)) errors.push(fieldErrors.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  else if (values?.length !== 1) {
    const message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(fieldErrors.required(`${path}.values`, message));
  }
  if (key !== 'metadata.name') errors.push(fieldErrors.invalid(`${path}.key`, key, 'not a valid field selector key'));
  else {
    values?.forEach((value, i) => {
      addInvalid(errors, `${path}.values[${i}]`, value, nameIsDnsSubdomain(value, false));
    });
  }
}

function checkPodTerm(errors: Errors, path: string, term: PodAffinityTerm): void {
  checkSelector(errors, `${path}.labelSelector`, term.labelSelector);
  checkSelector(errors, `${path}.namespaceSelector`, term.namespaceSelector);
  for (const name of listOf(term.namespaces)) addInvalid(errors, `${path}.namespace`, name, nameIsDnsLabel(name, false));
  checkLabelKeys(errors, path, term);
  if (!term.topologyKey) errors.push(fieldErrors.required(`${path}.topologyKey`, 'can not be empty'));
  checkLabelKey(errors, `${path}.topologyKey`, term.topologyKey);
}

interface KeyedTerm {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** `matchLabelKeys` and `mismatchLabelKeys`: label names, with a selector beside them that doesn't name them too. */
export function checkLabelKeys(errors: Errors, path: string, term: KeyedTerm): void {
  const { labelSelector, matchLabelKeys, mismatchLabelKeys } = term;
  if (!matchLabelKeys?.length && !mismatchLabelKeys?.length) return;
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys = listOf(term[field]);
    if (keys.length && !labelSelector) {
      errors.push(fieldErrors.forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set'));
    } else {
      keys.forEach((key, i) => {
        checkLabelKey(errors, `${path}.${field}[${i}]`, key);
      });
    }
  }
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of listOf(labelSelector?.matchExpressions)) {
    const i = matchLabelKeys?.lastIndexOf(key) ?? -1;
    if (i >= 0 && seen.has(key)) errors.push(fieldErrors.invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    seen.add(key);
  }
  matchLabelKeys?.forEach((key, i) => {
    if (!mismatchLabelKeys?.includes(key)) return;
    errors.push(fieldErrors.invalid(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  });
}
