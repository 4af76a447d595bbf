/** Checks of requests, limits and claims, of containers and of the pod as a whole. Upstream: pkg/apis/core/validation/validation.go. */

import type { PodSpec, ResourceClaim, ResourceRequirements } from '../../../generated/core-v1.ts';
import { checkQualifiedName } from '../../../meta/names.ts';
import { compareQuantities, quantityMilliValue, quantityToNumber } from '../../../meta/quantity.ts';
import { fieldErrors } from '../../../meta/status-error.ts';
import { own } from '../../../meta/words.ts';
import { addInvalid, checkDnsLabel, checkNonnegativeQuantity, type Errors } from '../../checks.ts';
import { listOf } from '../../lists.ts';
import { aggregate } from './pod-defaults.ts';
import {
  isExtendedName,
  isHugePages,
  isIntegerResource,
  isNativeResource,
  isOvercommitAllowed,
  isStandardContainerResource,
  isStandardResource,
} from './resource-names.ts';

type NameRule = (errors: Errors, path: string, name: string) => void;

/** Qualified, or one of the standard names. */
export function checkResourceName(errors: Errors, path: string, name: string): boolean {
  const messages = checkQualifiedName(name);
  addInvalid(errors, path, name, messages);
  if (messages.length) return false;
  if (name.includes('/') || isStandardResource(name)) return true;
  errors.push(fieldErrors.invalid(path, name, 'must be a standard resource type or fully qualified'));
  return false;
}

export function checkContainerResourceName(errors: Errors, path: string, name: string): void {
  if (isStandardContainerResource(name)) return;
  const isQualified = checkResourceName(errors, path, name);
  if (!name.includes('/')) errors.push(fieldErrors.invalid(path, name, 'must be a standard resource for containers'));
  else if (!isNativeResource(name) && !(isQualified && isExtendedName(name))) {
    errors.push(fieldErrors.invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

const podResources = ['cpu', 'hugepages-', 'memory'];
const checkPodResourceName: NameRule = (errors, path, name) => {
  if (!checkResourceName(errors, path, name)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) errors.push(fieldErrors.notSupported(path, name, podResources));
};

export function checkResourceQuantity(errors: Errors, path: string, { name, quantity }: { name: string; quantity: string }): void {
  checkNonnegativeQuantity(errors, path, quantity);
  if (quantityMilliValue(quantity) % 1000 !== 0 && isIntegerResource(name)) {
    errors.push(fieldErrors.invalid(path, quantity, 'must be an integer'));
  }
}

function checkHugePages(errors: Errors, path: string, { name, quantity }: { name: string; quantity: string }): void {
  const pageBytes = /^\d+[A-Za-z]*$/.test(name.slice('hugepages-'.length)) ? quantityToNumber(name.slice('hugepages-'.length)) : 0;
  if (pageBytes > 0 && quantityToNumber(quantity) % pageBytes === 0) return;
  errors.push(fieldErrors.invalid(path, quantity, `${quantity} is not positive integer multiple of ${name}`));
}

export interface RequirementRules {
  readonly checkName?: NameRule;
  readonly claimNames: ReadonlySet<string>;
}

export function checkRequirements(errors: Errors, path: string, resources: ResourceRequirements, rules: RequirementRules): void {
  const checkName = rules.checkName ?? checkContainerResourceName;
  const { limits, requests } = resources;
  let hasHugePages = false;
  const found = errors.length;
  for (const name in limits) {
    checkAmount(errors, `${path}.limits[${name}]`, { name, quantity: limits[name] ?? '0' }, checkName);
    hasHugePages ||= isHugePages(name);
  }
  const hasGoodLimits = errors.length === found;
  for (const name in requests) {
    const quantity = requests[name] ?? '0';
    const at = `${path}.requests[${name}]`;
    const limit = own(limits, name);
    // Most requests are their limits.
    if (!hasGoodLimits || limit === undefined) checkName(errors, at, name);
    if (!hasGoodLimits || limit !== quantity) checkResourceQuantity(errors, at, { name, quantity });
    checkAgainstLimit(errors, path, { name, quantity, limit });
    if (isHugePages(name)) checkHugePages(errors, at, { name, quantity });
    hasHugePages ||= isHugePages(name);
  }
  const asksFor = (name: string): boolean => own(limits, name) !== undefined || own(requests, name) !== undefined;
  if (hasHugePages && !asksFor('cpu') && !asksFor('memory')) {
    errors.push(fieldErrors.forbidden(path, 'HugePages require cpu or memory'));
  }
  if (resources.claims) checkClaims(errors, `${path}.claims`, resources.claims, rules.claimNames);
}

function checkAmount(errors: Errors, path: string, amount: { name: string; quantity: string }, checkName: NameRule): void {
  checkName(errors, path, amount.name);
  checkResourceQuantity(errors, path, amount);
  if (isHugePages(amount.name)) checkHugePages(errors, path, amount);
}

function checkAgainstLimit(errors: Errors, path: string, r: { name: string; quantity: string; limit: string | undefined }): void {
  const canExceed = isOvercommitAllowed(r.name);
  if (r.limit === undefined) {
    if (!canExceed) errors.push(fieldErrors.required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
    return;
  }
  const order = compareQuantities(r.quantity, r.limit);
  if (order !== 0 && !canExceed) {
    errors.push(fieldErrors.invalid(`${path}.requests`, r.quantity, `must be equal to ${r.name} limit of ${r.limit}`));
  } else if (order > 0) {
    errors.push(fieldErrors.invalid(`${path}.requests`, r.quantity, `must be less than or equal to ${r.name} limit of ${r.limit}`));
  }
}

function checkClaims(errors: Errors, path: string, claims: readonly ResourceClaim[], claimNames: ReadonlySet<string>): void {
  const seen = new Set<string>();
  const inParts = new Set<string>();
  let names: string | undefined;
  for (const [i, claim] of claims.entries()) {
    const at = `${path}[${i}]`;
    if (!claim.name) {
      errors.push(fieldErrors.required(at));
      continue;
    }
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (seen.has(claim.name)) errors.push(fieldErrors.duplicate(at, claim.name));
    else {
      if (claim.request) checkDnsLabel(errors, `${at}.request`, claim.request);
      if (seen.has(key)) errors.push(fieldErrors.duplicate(at, key));
      else if (!claim.request && inParts.has(claim.name)) errors.push(fieldErrors.duplicate(at, claim.name));
      seen.add(key);
      if (claim.request) inParts.add(claim.name);
    }
    if (!claimNames.has(claim.name)) {
      names ??= claimNames.size ? `: ${[...claimNames].toSorted().join(', ')}` : ' which is empty';
      errors.push({ ...fieldErrors.notFound(at, claim.name), detail: `must be one of the names in pod.spec.resourceClaims${names}` });
    }
  }
}

/** Resources of the pod as a whole: enough for what its containers ask together, and no container above its limits. */
export function checkPodResources(errors: Errors, path: string, spec: PodSpec): void {
  const { resources } = spec;
  if (!resources) return;
  if (spec.os?.name === 'windows') {
    errors.push(fieldErrors.forbidden(path, 'may not be set for a windows pod'));
    return;
  }
  if (resources.claims) errors.push(fieldErrors.forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level'));
  checkRequirements(errors, path, resources, { checkName: checkPodResourceName, claimNames: new Set() });
  for (const [name, sum] of Object.entries(aggregate(spec, 'requests'))) {
    const given = own(resources.requests, name);
    if (given === undefined || compareQuantities(sum, given) <= 0) continue;
    const message = `must be greater than or equal to aggregate container requests of ${sum}`;
    errors.push(fieldErrors.invalid(`${path}.requests[${name}]`, given, message));
  }
  for (const [name, sum] of Object.entries(aggregate(spec, 'limits'))) {
    const given = own(resources.limits, name);
    if (!isHugePages(name) || given === undefined || compareQuantities(sum, given) <= 0) continue;
    errors.push(
      fieldErrors.invalid(`${path}.limits[${name}]`, given, `must be greater than or equal to aggregate container limits of ${sum}`),
    );
  }
  for (const [i, container] of listOf(spec.containers).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const given = own(resources.limits, name);
      if (given === undefined || compareQuantities(limit, given) <= 0) continue;
      const at = `${path}.containers[${i}][${name}].limits`;
      errors.push(fieldErrors.invalid(at, limit, `must be less than or equal to pod limits of ${given}`));
    }
  }
}
