/**
 * The quality of service class of a pod, from requests and limits of cpu and memory. Ephemeral containers don't count.
 * Upstream: pkg/apis/core/v1/helper/qos/qos.go.
 */
import type { PodSpec, ResourceRequirements } from '../../generated/core-v1.ts';
import { addQuantities, compareQuantities } from '../../meta/quantity.ts';
import { listOf } from '../lists.ts';

export type QOSClass = 'BestEffort' | 'Burstable' | 'Guaranteed';

const computeResources = ['cpu', 'memory'] as const;

export function computeQOS(spec: PodSpec): QOSClass {
  const sources: readonly (ResourceRequirements | undefined)[] = spec.resources
    ? [spec.resources]
    : [...listOf(spec.containers), ...listOf(spec.initContainers)].map((container) => container.resources);
  const requests = new Map<string, string>();
  const limits = new Map<string, string>();
  let everyLimit = true;
  for (const resources of sources) {
    sumInto(requests, resources?.requests);
    if (sumInto(limits, resources?.limits) < computeResources.length && !(spec.resources && !resources?.limits)) everyLimit = false;
  }
  if (!requests.size && !limits.size) return 'BestEffort';
  const equal = [...requests].every(([name, request]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(limit, request) === 0;
  });
  return everyLimit && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** Adds what is positive, and says how many of the compute resources were. */
function sumInto(sums: Map<string, string>, list: Readonly<Record<string, string>> | undefined): number {
  if (!list) return 0;
  let found = 0;
  for (const name of computeResources) {
    const quantity = list[name];
    if (quantity === undefined || compareQuantities(quantity, '0') <= 0) continue;
    found++;
    const sum = sums.get(name);
    sums.set(name, sum === undefined ? quantity : addQuantities(sum, quantity));
  }
  return found;
}
