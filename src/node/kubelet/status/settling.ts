/**
 * A container that has just been started may be one that ends at once. Until it has run for a moment it is told of as
 * before: one without probes would else be ready between two crashes, and a rollout to an image that can't start would
 * replace the pods that work. A container that has to prove itself by a probe is told of at once.
 * Upstream comes to the same by looking at the runtime only once a second (pkg/kubelet/pleg/generic.go).
 */
import type { Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { bareContainerID } from '../container/container-identity.ts';
import type { ObservedPod } from '../pod/observed-pod.ts';

const settlingMs = 250;

export interface Settling {
  /** the names of containers that are told of as before */
  readonly held: ReadonlySet<string>;
  /** when to look again; absent: all have settled */
  readonly untilMs?: number;
}

export function settle(pod: Pod, observed: ObservedPod, { told, nowMs }: { readonly told: PodStatus; readonly nowMs: number }): Settling {
  const isTold = (id: string): boolean =>
    told.containerStatuses?.some((s) => s.state?.running && bareContainerID(s.containerID ?? '') === id) ?? false;
  const needsNoProof = (name: string): boolean => pod.spec.containers.some((c) => c.name === name && !c.readinessProbe && !c.startupProbe);
  const settling = observed.containers.filter(
    ({ id, name, state, startedAtMs }) =>
      state === 'running' && startedAtMs <= nowMs && nowMs - startedAtMs < settlingMs && needsNoProof(name) && !isTold(id),
  );
  const held = new Set(settling.map((container) => container.name));
  return held.size === 0 ? { held } : { held, untilMs: Math.min(...settling.map((c) => c.startedAtMs)) + settlingMs };
}
