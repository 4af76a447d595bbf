/** Rules of requests, limits and claims, of containers and of the pod as a whole. Upstream: pkg/apis/core/validation/validation.go. */

import type { PodSpec, ResourceClaim, ResourceRequirements } from '../../../generated/core-v1.ts';
import { checkQualifiedName } from '../../../meta/names.ts';
import { compareQuantities, quantityMilliValue, quantityToNumber } from '../../../meta/quantity.ts';
import { own } from '../../../meta/words.ts';
import { eachBy, eachEntry, nonNegativeQuantity } from '../../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../../schema/rules/walk.ts';
import { listOf } from '../../lists.ts';
import { dnsLabel } from '../../shared-rules.ts';
import type { SpecContext } from './context.ts';
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

/** Qualified, or one of the standard names. */
export const resourceNameRule: Rule<string> = (name, walk) => void isResourceName(name, walk);

function isResourceName(name: string, walk: Walk): boolean {
  const messages = checkQualifiedName(name);
  for (const message of messages) walk.invalid('', name, message);
  if (messages.length) return false;
  if (name.includes('/') || isStandardResource(name)) return true;
  walk.invalid('', name, 'must be a standard resource type or fully qualified');
  return false;
}

export const containerResourceName: Rule<string> = (name, walk) => {
  if (isStandardContainerResource(name)) return;
  const isQualified = isResourceName(name, walk);
  if (!name.includes('/')) walk.invalid('', name, 'must be a standard resource for containers');
  else if (!isNativeResource(name) && !(isQualified && isExtendedName(name))) {
    walk.invalid('', name, "doesn't follow extended resource name standard");
  }
};

const podResourceName: Rule<string> = (name, walk) => {
  if (!isResourceName(name, walk) || name === 'cpu' || name === 'memory' || isHugePages(name)) return;
  walk.notSupported('', name, ['cpu', 'hugepages-', 'memory']);
};

/** What an amount of the resource of that name has to be. */
export function checkResourceQuantity(name: string, quantity: string, walk: Walk): void {
  nonNegativeQuantity(quantity, walk, undefined);
  if (quantityMilliValue(quantity) % 1000 !== 0 && isIntegerResource(name)) walk.invalid('', quantity, 'must be an integer');
}

function checkHugePages(name: string, quantity: string, walk: Walk): void {
  if (!isHugePages(name)) return;
  const pageBytes = /^\d+[A-Za-z]*$/.test(name.slice('hugepages-'.length)) ? quantityToNumber(name.slice('hugepages-'.length)) : 0;
  if (pageBytes > 0 && quantityToNumber(quantity) % pageBytes === 0) return;
  walk.invalid('', quantity, `${quantity} is not positive integer multiple of ${name}`);
}

/** Within `podSpec`, else nothing may be claimed. */
const requirementsBy =
  (nameRule: Rule<string>): Rule<ResourceRequirements> =>
  ({ limits, requests, claims }, walk) => {
    let hasGoodLimits = true;
    const limit = eachEntry<string>((name, quantity, at) => {
      const before = at.errors.length;
      at.enter(`[${name}]`);
      nameRule(name, at, undefined);
      checkResourceQuantity(name, quantity, at);
      checkHugePages(name, quantity, at);
      at.leave();
      hasGoodLimits &&= at.errors.length === before;
    });
    const request = eachEntry<string>((name, quantity, at) => {
      const most = own(limits, name);
      at.enter(`[${name}]`);
      // Most requests are their limits.
      if (!hasGoodLimits || most === undefined) nameRule(name, at, undefined);
      if (!hasGoodLimits || most !== quantity) checkResourceQuantity(name, quantity, at);
      at.outside(() => checkAgainstLimit(at, { name, quantity, most }), at.depth - 2);
      checkHugePages(name, quantity, at);
      at.leave();
    });
    walk.check('limits', limits, limit);
    walk.check('requests', requests, request);
    const asksFor = (isMeant: (name: string) => boolean): boolean => hasName(limits, isMeant) || hasName(requests, isMeant);
    if (asksFor(isHugePages) && !asksFor((name) => name === 'cpu' || name === 'memory')) {
      walk.forbidden('', 'HugePages require cpu or memory');
    }
    walk.check('claims', claims, claimed);
  };

function hasName(resources: ResourceRequirements['limits'], isMeant: (name: string) => boolean): boolean {
  for (const name in resources) if (isMeant(name)) return true;
  return false;
}

function checkAgainstLimit(walk: Walk, { name, quantity, most }: { name: string; quantity: string; most: string | undefined }): void {
  const canExceed = isOvercommitAllowed(name);
  if (most === undefined) {
    if (!canExceed) walk.required('limits', 'Limit must be set for non overcommitable resources');
    return;
  }
  const order = compareQuantities(quantity, most);
  if (order !== 0 && !canExceed) walk.invalid('requests', quantity, `must be equal to ${name} limit of ${most}`);
  else if (order > 0) walk.invalid('requests', quantity, `must be less than or equal to ${name} limit of ${most}`);
}

const nothingToClaim: ReadonlySet<string> = new Set();
const claimed = eachBy<ResourceClaim>((_, { about }) => {
  const claimNames = (about as Partial<SpecContext> | undefined)?.claimNames ?? nothingToClaim;
  const seen = new Set<string>();
  const inParts = new Set<string>();
  let names: string | undefined;
  return ({ name, request }, walk) => {
    if (!name) return walk.required('');
    const key = request ? `${name}/${request}` : name;
    if (seen.has(name)) walk.duplicate('', name);
    else {
      if (request) walk.check('request', request, dnsLabel);
      if (seen.has(key)) walk.duplicate('', key);
      else if (!request && inParts.has(name)) walk.duplicate('', name);
      seen.add(key);
      if (request) inParts.add(name);
    }
    if (claimNames.has(name)) return;
    names ??= claimNames.size ? `: ${[...claimNames].toSorted().join(', ')}` : ' which is empty';
    walk.notFound('', name, `must be one of the names in pod.spec.resourceClaims${names}`);
  };
});

export const containerResourceRules = requirementsBy(containerResourceName);
const wholeResources = requirementsBy(podResourceName);

/** Resources of the pod as a whole: enough for what its containers ask together, and no container above its limits. */
export const podResourceRules: Rule<PodSpec> = (spec, walk) => {
  const { resources } = spec;
  if (!resources) return;
  if (spec.os?.name === 'windows') return walk.forbidden('resources', 'may not be set for a windows pod');
  if (resources.claims) walk.forbidden('resources.claims', 'claims may not be set for Resources at pod-level');
  const { about } = walk;
  walk.about = undefined;
  walk.check('resources', resources, wholeResources);
  walk.about = about;
  for (const [name, sum] of Object.entries(aggregate(spec, 'requests'))) {
    const given = own(resources.requests, name);
    if (given === undefined || compareQuantities(sum, given) <= 0) continue;
    const message = `must be greater than or equal to aggregate container requests of ${sum}`;
    walk.invalid(`resources.requests[${name}]`, given, message);
  }
  for (const [name, sum] of Object.entries(aggregate(spec, 'limits'))) {
    const given = own(resources.limits, name);
    if (!isHugePages(name) || given === undefined || compareQuantities(sum, given) <= 0) continue;
    walk.invalid(`resources.limits[${name}]`, given, `must be greater than or equal to aggregate container limits of ${sum}`);
  }
  for (const [i, container] of listOf(spec.containers).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const given = own(resources.limits, name);
      if (given === undefined || compareQuantities(limit, given) <= 0) continue;
      walk.invalid(`resources.containers[${i}][${name}].limits`, limit, `must be less than or equal to pod limits of ${given}`);
    }
  }
};
