/**
 * The fewest and least important pods that have to leave a node for a pod to fit there: all less important ones are
 * taken away, and as many as possible put back, those under a disruption budget first.
 * Upstream: scheduler/framework/plugins/defaultpreemption/default_preemption.go (SelectVictimsOnNode).
 */
import type { PodDisruptionBudget } from '../../../api/generated/kinds.ts';
import type { Attempt } from '../attempt.ts';
import { type Rejection, rejectForGood } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { PodFacts } from '../pod-facts.ts';
import { splitByBudget } from './disruption-budgets.ts';

export interface Candidate {
  readonly node: NodeFacts;
  /** the most important first; never none */
  readonly victims: readonly PodFacts[];
  /** how many of them leave against a budget */
  readonly violations: number;
}

export interface VictimsGiven {
  readonly budgets: readonly PodDisruptionBudget[];
  readonly nowMs: number;
}

export const noVictims = rejectForGood('', 'No preemption victims found for incoming pod');

export function selectVictims(attempt: Attempt, node: NodeFacts, { budgets, nowMs }: VictimsGiven): Candidate | Rejection {
  const potential: PodFacts[] = [];
  for (const pod of node.pods.values()) if (pod.priority < attempt.pod.priority) potential.push(pod);
  if (potential.length === 0) return noVictims;
  const gone = new Set(potential);
  for (const pod of potential) attempt.take(node, pod);
  const spare = (pod: PodFacts): boolean => {
    attempt.put(node, pod);
    if (!attempt.freshVerdict(node)) {
      gone.delete(pod);
      return true;
    }
    attempt.take(node, pod);
    return false;
  };
  try {
    const rejection = attempt.freshVerdict(node);
    if (rejection) return rejection;
    potential.sort(byImportance(nowMs));
    const { violating, other } = splitByBudget(potential, budgets);
    const violations = violating.filter((pod) => !spare(pod)).length;
    for (const pod of other) spare(pod);
    return { node, victims: potential.filter((pod) => gone.has(pod)), violations };
  } finally {
    for (const pod of gone) attempt.put(node, pod);
  }
}

/** When it started; one that has not yet counts as started now. */
export function startMs({ pod }: PodFacts, nowMs: number): number {
  const { startTime } = pod.status ?? {};
  return startTime === undefined ? nowMs : Date.parse(startTime);
}

/** For sorting: the most important first, by priority, then by age. Upstream: scheduler/util/utils.go. */
const byImportance =
  (nowMs: number) =>
  (a: PodFacts, b: PodFacts): number =>
    b.priority - a.priority || startMs(a, nowMs) - startMs(b, nowMs);
