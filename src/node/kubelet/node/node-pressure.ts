/**
 * What to do when the node runs out of memory or disk before the kernel does it: say so, and end the pod that costs
 * least. Pure.
 * Upstream: pkg/kubelet/eviction/helpers.go (rankMemoryPressure, rankDiskPressureFunc, evictionMessage).
 */
import type { Pod } from '../../../api/generated/core-v1.ts';
import { canonicalizeQuantity, quantityValue } from '../../../api/meta/quantity.ts';
import { podResources } from '../../../api/predicates/pod-resources.ts';

/** The condition stays that long after there is enough again. */
const calmMs = 300_000;
const systemCriticalPriority = 2_000_000_000;
const MiB = 2 ** 20;

/** What a node has to have left of a resource. */
export interface Supply {
  readonly resource: 'memory' | 'ephemeral-storage';
  readonly availableBytes: number;
  readonly availableBytesMin: number;
}

export const memorySupply = (availableBytes: number): Supply => ({ resource: 'memory', availableBytes, availableBytesMin: 100 * MiB });

/**
 * The disk is shared with the machine, so the node minds only its very end (upstream: 10 %): room enough for what the
 * cluster itself writes while a pod is ended, and no more on a large disk than anybody would call full.
 */
const diskShareMin = 0.02;
const diskBytesMin = { least: 32 * MiB, most: 1024 * MiB } as const;

export const diskSupply = ({ availableBytes, capacityBytes }: { availableBytes: number; capacityBytes: number }): Supply => ({
  resource: 'ephemeral-storage',
  availableBytes,
  availableBytesMin: Math.min(Math.max(Math.floor(capacityBytes * diskShareMin), diskBytesMin.least), diskBytesMin.most),
});

export const isLow = ({ availableBytes, availableBytesMin }: Supply): boolean => availableBytes < availableBytesMin;

/** Whether the node tells that it is short of something. */
export class Pressure {
  #lowAtMs: number | undefined;

  get isTold(): boolean {
    return this.#lowAtMs !== undefined;
  }

  /** True when what is told changed. */
  note(supply: Supply, nowMs: number): boolean {
    const before = this.isTold;
    if (isLow(supply)) this.#lowAtMs = nowMs;
    else if (this.#lowAtMs !== undefined && nowMs - this.#lowAtMs >= calmMs) this.#lowAtMs = undefined;
    return before !== this.isTold;
  }
}

/** What a pod takes of a resource. */
export interface PodUse {
  readonly pod: Pod;
  readonly totalBytes: number;
  readonly containers: ReadonlyMap<string, number>;
}

/** The pod to evict and the message, or undefined when none may be: beyond its request, of low priority, far beyond. */
export function planEviction(uses: readonly PodUse[], supply: Supply): { readonly pod: Pod; readonly message: string } | undefined {
  const { resource, availableBytes, availableBytesMin } = supply;
  const excess = ({ pod, totalBytes }: PodUse): number =>
    totalBytes - quantityValue(podResources(pod.spec, 'requests', { withOverhead: true })[resource] ?? '0');
  const candidates = uses.filter((u) => (u.pod.spec.priority ?? 0) < systemCriticalPriority);
  const [worst] = candidates.toSorted((a, b) => {
    const [overA, overB] = [excess(a), excess(b)];
    return Number(overB > 0) - Number(overA > 0) || (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) || overB - overA;
  });
  if (!worst) return undefined;
  const threshold = `Threshold quantity: ${canonicalizeQuantity(`${availableBytesMin / 1024}Ki`)}, available: ${Math.floor(availableBytes / 1024)}Ki. `;
  const containers = [...worst.pod.spec.containers, ...(worst.pod.spec.initContainers ?? [])].flatMap((c) => {
    const used = worst.containers.get(c.name) ?? 0;
    const request = c.resources?.requests?.[resource] ?? '0';
    if (used <= quantityValue(request)) return [];
    return [`Container ${c.name} was using ${Math.floor(used / 1024)}Ki, request is ${request}, has larger consumption of ${resource}. `];
  });
  return { pod: worst.pod, message: `The node was low on resource: ${resource}. ${threshold}${containers.join('')}` };
}
