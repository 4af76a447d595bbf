/**
 * Which of a pod's dead containers and sandboxes are of no more use. The newest instance of each container stays, and
 * the one before it, for its log. Pure.
 * Upstream: pkg/kubelet/kuberuntime/kuberuntime_gc.go, kuberuntime_container.go (pruneInitContainersBeforeStart).
 */
import type { ObservedPod } from './observed-pod.ts';

const instancesKept = 2;

export interface Garbage {
  readonly containerIDs: readonly string[];
  readonly sandboxIDs: readonly string[];
}

export function planGarbage(observed: ObservedPod): Garbage {
  const seen = new Map<string, number>();
  const containerIDs: string[] = [];
  const kept = new Set<string>();
  for (const container of observed.containers) {
    const times = seen.get(container.name) ?? 0;
    seen.set(container.name, times + 1);
    if (times >= instancesKept && container.state === 'exited') containerIDs.push(container.id);
    else kept.add(container.sandboxID);
  }
  const sandboxIDs = observed.sandboxes
    .slice(1)
    .filter((s) => !s.ready && !kept.has(s.id))
    .map((s) => s.id);
  return { containerIDs, sandboxIDs };
}
