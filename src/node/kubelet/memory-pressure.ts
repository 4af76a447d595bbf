/**
 * What to do when the node runs out of memory before the kernel does it: say so, and end the pod that costs least. Pure.
 * Upstream: pkg/kubelet/eviction/helpers.go (rankMemoryPressure, evictionMessage).
 */
import type { Pod } from '../../api/generated/core-v1.ts';
import { quantityValue } from '../../api/meta/quantity.ts';

export const memoryAvailableBytesMin = 100 * 2 ** 20;
const systemCriticalPriority = 2_000_000_000;

export interface MemoryUse {
  readonly pod: Pod;
  /** working sets by container */
  readonly containers: ReadonlyMap<string, number>;
}

/** The pod to evict and the message, or undefined when none may be. */
export function planMemoryEviction(
  uses: readonly MemoryUse[],
  availableBytes: number,
): { readonly pod: Pod; readonly message: string } | undefined {
  const candidates = uses.filter((u) => (u.pod.spec.priority ?? 0) < systemCriticalPriority);
  const [worst] = candidates.toSorted((a, b) => {
    const overA = excess(a);
    const overB = excess(b);
    return Number(overB > 0) - Number(overA > 0) || (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) || overB - overA;
  });
  if (!worst) return undefined;
  const threshold = `Threshold quantity: 100Mi, available: ${Math.floor(availableBytes / 1024)}Ki. `;
  const containers = worst.pod.spec.containers.flatMap((c) => {
    const used = worst.containers.get(c.name) ?? 0;
    const request = c.resources?.requests?.['memory'] ?? '0';
    if (used <= quantityValue(request)) return [];
    return [`Container ${c.name} was using ${Math.floor(used / 1024)}Ki, request is ${request}, has larger consumption of memory. `];
  });
  return { pod: worst.pod, message: `The node was low on resource: memory. ${threshold}${containers.join('')}` };
}

function excess({ pod, containers }: MemoryUse): number {
  const used = [...containers.values()].reduce((a, b) => a + b, 0);
  const requested = pod.spec.containers.reduce((a, c) => a + quantityValue(c.resources?.requests?.['memory'] ?? '0'), 0);
  return used - requested;
}
