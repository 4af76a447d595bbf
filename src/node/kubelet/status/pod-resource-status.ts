/**
 * What a pod's status tells of its resources as a whole: what was granted (allocatedResources), and what is really there
 * (resources): everything that was granted, until it runs; then what its cgroup enforces. Pure.
 * Upstream: pkg/kubelet/kubelet_pods.go (convertToAPIPodLevelResourcesStatus).
 */
import type { Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { podResources, type ResourceList } from '../../../api/predicates/pod-resources.ts';
import { podTotals } from '../container/container-resources.ts';

export function podResourceStatus(granted: Pod, actual: Pod, isRunning: boolean): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  const allocatedResources = totalOf(granted, 'requests');
  const { requests, limits } = isRunning ? enforced(granted, actual) : { requests: allocatedResources, limits: totalOf(granted, 'limits') };
  const has = (list: ResourceList): boolean => Object.keys(list).length > 0;
  return {
    ...(has(allocatedResources) && { allocatedResources }),
    resources: { ...(has(requests) && { requests }), ...(has(limits) && { limits }) },
  };
}

const totalOf = ({ spec }: Pod, what: 'requests' | 'limits'): ResourceList => podResources(spec, what, { withOverhead: true });

function enforced(granted: Pod, actual: Pod): { readonly requests: ResourceList; readonly limits: ResourceList } {
  const { cpuLimited, memoryLimited } = podTotals(actual);
  const requests = pick(totalOf(actual, 'requests'), ['cpu', 'memory']);
  const limits = pick(totalOf(actual, 'limits'), [...(cpuLimited ? ['cpu'] : []), ...(memoryLimited ? ['memory'] : [])]);
  return { requests: { ...granted.spec.resources?.requests, ...requests }, limits: { ...granted.spec.resources?.limits, ...limits } };
}

const pick = (list: ResourceList, names: readonly string[]): ResourceList =>
  Object.fromEntries(Object.entries(list).filter(([name]) => names.includes(name)));
