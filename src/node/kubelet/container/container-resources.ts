/**
 * Requests and limits as cgroup values: per container, and for the pod as a whole; the OOM score; the names of the
 * cgroups by QoS class. Pure.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_container_linux.go, cm/helpers_linux.go, cm/pod_container_manager_linux.go,
 * qos/policy.go.
 */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';
import { own } from '../../../api/meta/words.ts';
import { isSidecar, podResources as sumResources } from '../../../api/predicates/pod-resources.ts';
import type { LinuxContainerResources } from '../../runtime/cri-types.ts';

const periodUs = 100_000;
const quotaUsMin = 1000;
const sharesMin = 2;
const sharesMax = 262_144;
const sharesPerCPU = 1024;

const oomScore = { guaranteed: -997, bestEffort: 1000 } as const;
const systemCriticalPriority = 2_000_001_000;

type Resources = Container['resources'];
const milli = (resources: Resources, list: 'limits' | 'requests', name: string): number =>
  quantityMilliValue(own(resources?.[list], name) ?? '0');
const bytes = (resources: Resources, list: 'limits' | 'requests', name: string): number =>
  quantityValue(own(resources?.[list], name) ?? '0');

export function cpuShares(milliCPU: number): number {
  if (milliCPU === 0) return sharesMin;
  return Math.min(Math.max(Math.floor((milliCPU * sharesPerCPU) / 1000), sharesMin), sharesMax);
}

/** 0: no limit */
export function cpuQuotaUs(milliCPU: number): number {
  return milliCPU === 0 ? 0 : Math.max(Math.floor((milliCPU * periodUs) / 1000), quotaUsMin);
}

export function containerResources(pod: Pod, container: Container, memoryCapacityBytes: number): LinuxContainerResources {
  const own = container.resources;
  const podLevel = pod.spec.resources;
  const cpuLimit = milli(own, 'limits', 'cpu') || milli(podLevel, 'limits', 'cpu');
  const memoryLimit = bytes(own, 'limits', 'memory') || bytes(podLevel, 'limits', 'memory');
  const cpuRequest = own?.requests?.['cpu'] === undefined ? cpuLimit : milli(own, 'requests', 'cpu');
  const hugepageLimits = hugepages(own);
  return {
    cpuShares: cpuShares(cpuRequest),
    cpuPeriod: periodUs,
    cpuQuota: cpuQuotaUs(cpuLimit),
    ...(memoryLimit > 0 && { memoryLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdjust(pod, container, memoryCapacityBytes),
    ...(hugepageLimits.length > 0 && { hugepageLimits }),
  };
}

function hugepages(resources: Resources): readonly { readonly pageSize: string; readonly limit: number }[] {
  return Object.entries(resources?.limits ?? {}).flatMap(([name, value]) => {
    const size = /^hugepages-(\d+)([KMG])i$/.exec(name);
    return size ? [{ pageSize: `${size[1]}${size[2]}B`, limit: quantityValue(value) }] : [];
  });
}

export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if ((pod.spec.priority ?? 0) >= systemCriticalPriority) return oomScore.guaranteed;
  if (pod.status.qosClass === 'Guaranteed') return oomScore.guaranteed;
  if (pod.status.qosClass === 'BestEffort' || memoryCapacityBytes === 0) return oomScore.bestEffort;
  const scoreFor = (requestBytes: number): number => 1000 - Math.floor((1000 * requestBytes) / memoryCapacityBytes);
  const share = unassignedShare(pod);
  let score = scoreFor(bytes(container.resources, 'requests', 'memory') + share);
  if (isSidecar(container) && pod.spec.initContainers?.includes(container)) {
    score = Math.min(score, scoreFor(Math.min(...pod.spec.containers.map((c) => bytes(c.resources, 'requests', 'memory'))) + share));
  }
  return Math.min(Math.max(score, 1000 + oomScore.guaranteed), oomScore.bestEffort - 1);
}

/** What the pod as a whole asks for beyond its containers, an equal part for each. */
function unassignedShare({ spec }: Pod): number {
  const whole = bytes(spec.resources, 'requests', 'memory');
  if (whole === 0) return 0;
  const { resources: _, ...parts } = spec;
  const assigned = quantityValue(sumResources(parts, 'requests', { withOverhead: false })['memory'] ?? '0');
  return Math.trunc((whole - assigned) / (spec.containers.length + (spec.initContainers?.length ?? 0)));
}

export interface PodTotals {
  readonly cpuRequestMilli: number;
  readonly cpuLimitMilli: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
  /** each container has a limit */
  readonly cpuLimited: boolean;
  readonly memoryLimited: boolean;
}

/** What a pod needs at most at any time: init containers run one by one, sidecars beside all that follow. */
export function podTotals(pod: Pod): PodTotals {
  const of = (read: (resources: Resources) => number): number => {
    const regular = pod.spec.containers.reduce((sum, c) => sum + read(c.resources), 0);
    let sidecars = 0;
    let peak = 0;
    for (const init of pod.spec.initContainers ?? []) {
      if (isSidecar(init)) sidecars += read(init.resources);
      else peak = Math.max(peak, sidecars + read(init.resources));
    }
    return Math.max(regular + sidecars, peak);
  };
  const overhead = pod.spec.overhead ? { requests: pod.spec.overhead, limits: pod.spec.overhead } : undefined;
  const podLevel = pod.spec.resources;
  const total = (read: (resources: Resources) => number): number => (read(podLevel) || of(read)) + read(overhead);
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const limited = (name: string): boolean =>
    own(podLevel?.limits, name) !== undefined || all.every((c) => quantityMilliValue(own(c.resources?.limits, name) ?? '0') > 0);
  return {
    cpuRequestMilli: total((r) => milli(r, 'requests', 'cpu')),
    cpuLimitMilli: total((r) => milli(r, 'limits', 'cpu')),
    memoryRequestBytes: total((r) => bytes(r, 'requests', 'memory')),
    memoryLimitBytes: total((r) => bytes(r, 'limits', 'memory')),
    cpuLimited: limited('cpu'),
    memoryLimited: limited('memory'),
  };
}

/** The pod's own cgroup. */
export function podCgroupResources(pod: Pod): LinuxContainerResources {
  if (pod.status.qosClass === 'BestEffort') return { cpuShares: sharesMin };
  const totals = podTotals(pod);
  return {
    cpuShares: cpuShares(totals.cpuRequestMilli),
    ...(totals.cpuLimited && { cpuPeriod: periodUs, cpuQuota: cpuQuotaUs(totals.cpuLimitMilli) }),
    ...(totals.memoryLimited && { memoryLimitInBytes: totals.memoryLimitBytes }),
  };
}

export type CgroupDriver = 'systemd' | 'cgroupfs';

/** The names from the root down: `kubepods`, the QoS class unless Guaranteed, the pod. */
export function podCgroupNames(pod: Pod, root: readonly string[]): readonly string[] {
  const { qosClass } = pod.status;
  const byClass = qosClass === 'Burstable' ? ['burstable'] : qosClass === 'BestEffort' ? ['besteffort'] : [];
  return [...root, 'kubepods', ...byClass, `pod${pod.metadata.uid}`];
}

/** As the runtime wants its cgroup parent: a path, or the name of a systemd slice. */
export function cgroupParent(names: readonly string[], driver: CgroupDriver): string {
  if (driver === 'cgroupfs') return `/${names.join('/')}`;
  return `${names.map((name) => name.replaceAll('-', '_')).join('-')}.slice`;
}
