/**
 * What to do for a pod that fits nowhere: whether pods of lower priority can make room, and on which node. Pure.
 * Upstream: scheduler/framework/preemption/preemption.go.
 */
import type { PodDisruptionBudget } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import type { Random } from '../../../client/clock.ts';
import type { Attempt } from '../attempt.ts';
import { type Diagnosis, describeDiagnosis, describeTally, notHelpful } from '../diagnosis.ts';
import type { Rejection } from '../framework.ts';
import type { NodeFacts } from '../node-facts.ts';
import type { PodFacts } from '../pod-facts.ts';
import { pickCandidate } from './pick-candidate.ts';
import { type Candidate, noVictims, selectVictims } from './select-victims.ts';

/** How many candidates are compared: at least this many, or this part of the nodes. */
const candidatesMin = 100;
const candidatesPercent = 10;

/** The messages follow that of the diagnosis. */
export type PreemptionPlan =
  /** what the pod waits for stays as it is */
  | { readonly do: 'nothing'; readonly message: string }
  /** there is nothing that it could wait for */
  | { readonly do: 'give-up'; readonly message: string }
  | { readonly do: 'evict'; readonly candidate: Candidate };

export interface PreemptionGiven {
  readonly budgets: readonly PodDisruptionBudget[];
  readonly nowMs: number;
  readonly random: Pick<Random, 'next'>;
}

export function planPreemption(attempt: Attempt, diagnosis: Diagnosis, given: PreemptionGiven): PreemptionPlan {
  if (diagnosis.preFilter || diagnosis.nodeCount === 0) return { do: 'give-up', message: '' };
  const refusal = whyNotEligible(attempt, diagnosis);
  if (refusal) return { do: 'nothing', message: said(refusal) };
  const { nodeCount } = diagnosis;
  if (attempt.table.leastPriority >= attempt.pod.priority) {
    const tried = countResolvable(diagnosis);
    const tally = new Map([
      [noVictims, tried],
      [notHelpful, nodeCount - tried],
    ]);
    return { do: 'give-up', message: said(describeTally(nodeCount, tally)) };
  }
  const { candidates, rejections } = findCandidates(attempt, diagnosis, given);
  const candidate = pickCandidate(candidates, given.nowMs);
  if (candidate) return { do: 'evict', candidate };
  return { do: 'give-up', message: said(describeDiagnosis({ nodeCount, rejections, others: notHelpful })) };
}

function countResolvable({ rejections }: Diagnosis): number {
  let count = 0;
  for (const { unresolvable } of rejections.values()) if (!unresolvable) count++;
  return count;
}

/** After what upstream's dynamic resources say of a pod that has no claims. */
const said = (message: string): string => `no new claims to deallocate, preemption: ${message}`;

function whyNotEligible({ pod, table }: Attempt, { rejections }: Diagnosis): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const node = pod.nominatedNodeName === undefined ? undefined : table.get(pod.nominatedNodeName);
  if (!node || rejections.get(node)?.unresolvable !== false) return undefined;
  const isLeaving = [...node.pods.values()].some((other) => other.priority < pod.priority && isLeavingByPreemption(other));
  return isLeaving ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}

function isLeavingByPreemption({ pod, isTerminating }: PodFacts): boolean {
  if (!isTerminating) return false;
  const condition = findCondition(pod.status?.conditions, 'DisruptionTarget');
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler';
}

interface Found {
  readonly candidates: readonly Candidate[];
  /** why the others of the nodes that were tried are none */
  readonly rejections: ReadonlyMap<NodeFacts, Rejection>;
}

/** Tries the nodes on which removing pods may help, from a random one on, until there are enough to compare. */
function findCandidates(attempt: Attempt, diagnosis: Diagnosis, { budgets, nowMs, random }: PreemptionGiven): Found {
  const nodes = [...diagnosis.rejections].flatMap(([node, { unresolvable }]) => (unresolvable ? [] : node));
  const wanted = Math.min(nodes.length, Math.max(candidatesMin, Math.trunc((nodes.length * candidatesPercent) / 100)));
  const offset = Math.trunc(random.next() * nodes.length);
  const candidates: Candidate[] = [];
  const rejections = new Map<NodeFacts, Rejection>();
  let hasClean = false;
  for (let i = 0; i < nodes.length && !(hasClean && candidates.length >= wanted); i++) {
    const node = nodes[(offset + i) % nodes.length];
    if (!node) continue;
    const found = selectVictims(attempt, node, { budgets, nowMs });
    if ('reasons' in found) rejections.set(node, found);
    else {
      candidates.push(found);
      hasClean ||= found.violations === 0;
    }
  }
  return { candidates, rejections };
}
