/** Rules of node selectors and of affinity to nodes and pods. Upstream: pkg/apis/core/validation/validation.go. */

import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PreferredSchedulingTerm,
  WeightedPodAffinityTerm,
} from '../../../generated/core-v1.ts';
import type { LabelSelector } from '../../../generated/meta-v1.ts';
import { checkLabelValue, nameIsDnsLabel } from '../../../meta/names.ts';
import { all, each, fields, format, range, required } from '../../../schema/rules/rules.ts';
import type { Rule } from '../../../schema/rules/walk.ts';
import { listOf } from '../../lists.ts';
import { demandedQualifiedName, qualifiedName, selector, subdomainName } from '../../shared-rules.ts';

const operator: Rule<NodeSelectorRequirement> = ({ operator: word, values }, walk) => {
  const count = values?.length ?? 0;
  if (word === 'In' || word === 'NotIn') {
    if (!count) walk.required('values', "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (word === 'Exists' || word === 'DoesNotExist') {
    if (count) walk.forbidden('values', "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (word === 'Gt' || word === 'Lt') {
    if (count !== 1) walk.required('values', "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else walk.invalid('operator', word, 'not a valid selector operator');
};

const fieldNames = fields<NodeSelectorRequirement>({ values: each(subdomainName) });
const fieldRequirement: Rule<NodeSelectorRequirement> = (requirement, walk, old) => {
  const { key, operator: word, values } = requirement;
  if (word !== 'In' && word !== 'NotIn') walk.invalid('operator', word, 'not a valid selector operator');
  else if (values?.length !== 1) {
    walk.required('values', "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (key === 'metadata.name') fieldNames(requirement, walk, old);
  else walk.invalid('key', key, 'not a valid field selector key');
};

const preference = fields<NodeSelectorTerm>({
  matchExpressions: each(all(operator, fields({ key: demandedQualifiedName }))),
  matchFields: each(fieldRequirement),
});
const term = fields<NodeSelectorTerm>({
  matchExpressions: each(all(operator, fields({ key: demandedQualifiedName, values: each(format(checkLabelValue)) }))),
  matchFields: each(fieldRequirement),
});

export const nodeSelector = fields<NodeSelector>({
  nodeSelectorTerms: required(each(term), 'must have at least one node selector term'),
});

interface KeyedTerm {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** `matchLabelKeys` and `mismatchLabelKeys`: label names, with a selector beside them that doesn't name them too. */
export const labelKeys: Rule<KeyedTerm> = ({ labelSelector, ...given }, walk) => {
  const { matchLabelKeys, mismatchLabelKeys } = given;
  if (!matchLabelKeys?.length && !mismatchLabelKeys?.length) return;
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    if (!given[field]?.length || labelSelector) walk.check(field, given[field], each(qualifiedName));
    else walk.forbidden(field, 'must not be specified when labelSelector is not set');
  }
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of listOf(labelSelector?.matchExpressions)) {
    const i = matchLabelKeys?.lastIndexOf(key) ?? -1;
    if (i >= 0 && seen.has(key)) walk.invalid(`[${i}]`, key, 'exists in both matchLabelKeys and labelSelector');
    seen.add(key);
  }
  const mismatching = new Set(mismatchLabelKeys);
  for (const [i, key] of listOf(matchLabelKeys).entries()) {
    if (mismatching.has(key)) walk.invalid(`matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  }
};

const namespaceName = format((name: string) => nameIsDnsLabel(name, false));
const podTerm = all<PodAffinityTerm>(
  fields({ labelSelector: selector, namespaceSelector: selector }),
  ({ namespaces }, walk) => {
    for (const name of listOf(namespaces)) walk.check('namespace', name, namespaceName);
  },
  labelKeys,
  fields({ topologyKey: all(required<string>(undefined, 'can not be empty'), demandedQualifiedName) }),
);

const weight = range(1, 100, 'must be in the range 1-100');
const podAffinity = fields<PodAffinity>({
  requiredDuringSchedulingIgnoredDuringExecution: each(podTerm),
  preferredDuringSchedulingIgnoredDuringExecution: each(fields<WeightedPodAffinityTerm>({ weight, podAffinityTerm: podTerm })),
});
const nodeAffinity = fields<NodeAffinity>({
  requiredDuringSchedulingIgnoredDuringExecution: nodeSelector,
  preferredDuringSchedulingIgnoredDuringExecution: each(fields<PreferredSchedulingTerm>({ weight, preference })),
});

export const affinity = fields<Affinity>({ nodeAffinity, podAffinity, podAntiAffinity: podAffinity });
