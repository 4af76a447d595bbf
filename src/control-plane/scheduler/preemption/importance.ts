/** Which of two pods is the dearer one to lose. Upstream: scheduler/util/utils.go. */
import type { PodFacts } from '../pod-facts.ts';

/** When it started; one that has not yet counts as started now. */
export function startMs({ pod }: PodFacts, nowMs: number): number {
  const { startTime } = pod.status ?? {};
  return startTime === undefined ? nowMs : Date.parse(startTime);
}

/** For sorting: the most important first, by priority, then by age. */
export const byImportance =
  (nowMs: number) =>
  (a: PodFacts, b: PodFacts): number =>
    b.priority - a.priority || startMs(a, nowMs) - startMs(b, nowMs);
