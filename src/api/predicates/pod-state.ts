/** How far a pod is: ready, available, over. Upstream: pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go. */
import type { Pod } from '../generated/kinds.ts';
import { findCondition } from '../meta/conditions.ts';
import { parseTime } from '../meta/time.ts';

export const isPodReady = (pod: Pod): boolean => findCondition(pod.status?.conditions, 'Ready')?.status === 'True';

/** When it became ready; undefined while it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = findCondition(pod.status?.conditions, 'Ready');
  return condition?.status === 'True' && condition.lastTransitionTime ? parseTime(condition.lastTransitionTime) : undefined;
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const sinceMs = readySinceMs(pod);
  return sinceMs !== undefined && sinceMs + minReadySeconds * 1000 <= nowMs;
}

/** How long until the first of the ready but not yet available pods is available; undefined when there is none. */
export function nextAvailabilityMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds <= 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const sinceMs = readySinceMs(pod);
    const inMs = sinceMs === undefined ? 0 : sinceMs + minReadySeconds * 1000 - nowMs;
    if (inMs > 0 && (next === undefined || inMs < next)) next = inMs;
  }
  return next;
}

/** Succeeded or Failed: all of it has ended, for good. */
export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

export const isPodTerminal = (pod: Pod): boolean => isTerminalPhase(pod.status?.phase);

export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && !pod.metadata.deletionTimestamp;

export const isPodTerminating = (pod: Pod): boolean => !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined;
