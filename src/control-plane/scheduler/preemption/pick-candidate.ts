/**
 * Where preemption hurts least: the fewest broken budgets; the least important victim at the top; the smallest sum of
 * priorities; the fewest victims; the top victims that run for the shortest time; the first of what is left.
 * Upstream: scheduler/framework/preemption/preemption.go (pickOneNodeForPreemption).
 */
import { type Candidate, startMs } from './select-victims.ts';

/** Added to each priority, so that two victims of negative priority never sum up to less than one. */
const priorityOffset = 2 ** 31;

/** Undefined only for none. */
export function pickCandidate(candidates: readonly Candidate[], nowMs: number): Candidate | undefined {
  const topPriority = ({ victims }: Candidate): number => victims[0]?.priority ?? 0;
  const prioritySum = ({ victims }: Candidate): number => victims.reduce((sum, { priority }) => sum + priority + priorityOffset, 0);
  const sinceMs = (candidate: Candidate): number => {
    const top = candidate.victims.filter(({ priority }) => priority === topPriority(candidate));
    return Math.min(...top.map((pod) => startMs(pod, nowMs)));
  };
  const costs: readonly ((candidate: Candidate) => number)[] = [
    ({ violations }) => violations,
    topPriority,
    prioritySum,
    ({ victims }) => victims.length,
    (candidate) => -sinceMs(candidate),
  ];
  let left = candidates;
  for (const cost of costs) {
    if (left.length <= 1) break;
    const all = left.map(cost);
    const least = Math.min(...all);
    left = left.filter((_, i) => all[i] === least);
  }
  return left[0];
}
