/**
 * Which pods of a set go first when there are too many: those whose loss costs least. In order: not assigned, pending,
 * not ready, lower deletion cost, more siblings on the node, ready for a shorter time, more restarts, younger. Times
 * are compared by their order of magnitude, so that among like pods it is chance (the uid) that decides.
 * Upstream: ActivePodsWithRanks in pkg/controller/controller_utils.go.
 */
import type { Pod } from '../../../api/generated/kinds.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { isSidecar } from '../../../api/predicates/pod-resources.ts';
import { isPodActive, isPodReady, readySinceMs } from '../../../api/predicates/pod-state.ts';

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

interface Ranked {
  readonly pod: Pod;
  readonly keys: readonly number[];
  readonly readyRank: number;
  readonly restarts: number;
  readonly sidecarRestarts: number;
  readonly ageRank: number;
}

/** The first `count` of `pods` to be deleted; `related` are the pods of the same set and its siblings. */
export function planPodDeletion(pods: readonly Pod[], related: readonly Pod[], count: number, nowMs: number): readonly Pod[] {
  if (count >= pods.length) return pods;
  const perNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec.nodeName ?? '';
    if (isPodActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  return pods
    .map((pod) => rank(pod, perNode.get(pod.spec.nodeName ?? '') ?? 0, nowMs))
    .sort(compare)
    .slice(0, count)
    .map(({ pod }) => pod);
}

function rank(pod: Pod, siblings: number, nowMs: number): Ranked {
  const sidecars = new Set(pod.spec.initContainers?.filter(isSidecar).map((c) => c.name));
  const restartsOf = (list: readonly { readonly restartCount: number }[] = []): number => Math.max(0, ...list.map((c) => c.restartCount));
  const isReady = isPodReady(pod);
  return {
    pod,
    keys: [pod.spec.nodeName ? 1 : 0, phaseOrder[pod.status?.phase ?? ''] ?? 0, isReady ? 1 : 0, deletionCost(pod), -siblings],
    readyRank: isReady ? magnitude(nowMs, readySinceMs(pod)) : 0,
    restarts: restartsOf(pod.status?.containerStatuses),
    sidecarRestarts: restartsOf(pod.status?.initContainerStatuses?.filter((c) => sidecars.has(c.name))),
    ageRank: magnitude(nowMs, parseTime(pod.metadata.creationTimestamp)),
  };
}

/** The order of magnitude of an age; younger is less. */
function magnitude(nowMs: number, sinceMs: number | undefined): number {
  const ageMs = sinceMs === undefined ? 0 : nowMs - sinceMs;
  return ageMs > 0 ? Math.trunc(Math.log2(ageMs * 1e6)) : -1;
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[costAnnotation] ?? '0';
  return /^-?\d+$/.test(text) ? Number(text) : 0;
}

function compare(a: Ranked, b: Ranked): number {
  for (let i = 0; i < a.keys.length; i++) {
    const difference = (a.keys[i] ?? 0) - (b.keys[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return (
    a.readyRank - b.readyRank ||
    b.restarts - a.restarts ||
    b.sidecarRestarts - a.sidecarRestarts ||
    a.ageRank - b.ageRank ||
    (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1)
  );
}
