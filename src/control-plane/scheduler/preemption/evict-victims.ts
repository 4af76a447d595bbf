/**
 * Makes the victims of a preemption leave: each is told why (condition DisruptionTarget, event Preempted) and deleted
 * with its own grace period. Pods of lower priority that waited for the same node no longer do.
 * Upstream: scheduler/framework/preemption/executor.go.
 */
import { Pod } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../client/clock.ts';
import type { EventRecorder } from '../../../client/events/event-recorder.ts';
import type { PodFacts } from '../pod-facts.ts';
import type { Candidate } from './select-victims.ts';

export interface Preemption {
  readonly preemptor: PodFacts;
  readonly candidate: Candidate;
  /** who waited for the node and has to yield */
  readonly behind: readonly PodFacts[];
}

export interface EvictionTools {
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

/** Throws an AggregateError when some could not be told or deleted. */
export async function evictVictims({ preemptor, candidate, behind }: Preemption, given: EvictionTools): Promise<void> {
  const leaving = candidate.victims.filter(({ isTerminating }) => !isTerminating);
  const results = await Promise.allSettled([
    ...behind.map((pod) => unlessGone(() => clearNomination(pod, given))),
    ...leaving.map((pod) => unlessGone(() => evict(pod, { preemptor, nodeName: candidate.node.name }, given))),
  ]);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failures.length) throw new AggregateError(failures, 'preemption failed in part');
}

async function evict(
  { pod }: PodFacts,
  { preemptor, nodeName }: { readonly preemptor: PodFacts; readonly nodeName: string },
  { client, clock, events }: EvictionTools,
): Promise<void> {
  const { schedulerName = 'default-scheduler' } = preemptor.pod.spec;
  const known = findCondition(pod.status?.conditions, 'DisruptionTarget');
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: (known?.status === 'True' ? known.lastTransitionTime : undefined) ?? formatTime(clock.now()),
  };
  await client.patch(Pod, pod.metadata, { type: 'strategic', body: { status: { conditions: [condition] } } }, { subresource: 'status' });
  const why = (): string => `makes room for pod/${preemptor.name} on ${nodeName}`;
  await client.delete(Pod, pod.metadata, { why });
  events.event(pod, 'Normal', 'Preempted', `Preempted by pod ${preemptor.uid} on node ${nodeName}`);
}

async function clearNomination({ pod }: PodFacts, { client }: EvictionTools): Promise<void> {
  if (!pod.status?.nominatedNodeName) return;
  await client.patch(Pod, pod.metadata, { type: 'strategic', body: { status: { nominatedNodeName: null } } }, { subresource: 'status' });
}

async function unlessGone(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
