/**
 * What a Deployment's status says: the sums over its ReplicaSets, and the conditions that `kubectl rollout status`
 * waits for. Pure. Upstream: pkg/controller/deployment/{sync,progress}.go.
 */
import type { DeploymentCondition, DeploymentStatus } from '../../../api/generated/apps-v1.ts';
import type { Deployment, ReplicaSet } from '../../../api/generated/kinds.ts';
import { findCondition, withoutCondition } from '../../../api/meta/conditions.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';

type Conditions = readonly DeploymentCondition[];

const intMax = 2 ** 31 - 1;
/** Passing the deadline is noticed this much later. */
const deadlineSlackMs = 1000;

export interface DeploymentView {
  /** with the replicas that were just asked of them */
  readonly sets: readonly { readonly set?: ReplicaSet; readonly replicas: number }[];
  readonly newest: { readonly set?: ReplicaSet } | undefined;
  /** its name: the set may just have been made */
  readonly newestName: string | undefined;
  readonly created: boolean;
  readonly isRollout: boolean;
  readonly unavailableMax: number;
  readonly nowMs: number;
}

export const hasDeadline = ({ spec }: Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== intMax;

export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus | undefined): boolean {
  const wanted = spec.replicas ?? 1;
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status ?? {};
  return (
    updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted && observedGeneration >= (metadata.generation ?? 0)
  );
}

export function nextDeploymentStatus(deployment: Deployment, view: DeploymentView): DeploymentStatus {
  const counts = countReplicas(deployment, view);
  let conditions = pauseOrResume(deployment, deployment.status?.conditions ?? [], view.nowMs);
  conditions = noteNewest(deployment, conditions, view);
  const isAvailable = (counts.availableReplicas ?? 0) >= (deployment.spec.replicas ?? 1) - view.unavailableMax;
  conditions = set(
    conditions,
    isAvailable
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', view.nowMs)
      : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', view.nowMs),
  );
  if (view.isRollout) {
    conditions = progress(deployment, counts, conditions, view);
    conditions = failure(conditions, view);
  }
  return { ...counts, ...(conditions.length > 0 && { conditions }) };
}

/** When the deadline would pass; undefined when there is nothing to wait for. */
export function progressCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progressing = findCondition(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || !progressing || deployment.spec.paused) return undefined;
  if (isComplete(deployment, status) || progressing.reason === 'ProgressDeadlineExceeded') return undefined;
  const sinceMs = parseTime(progressing.lastUpdateTime ?? '') ?? nowMs;
  return Math.max(0, sinceMs + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - nowMs) + deadlineSlackMs;
}

export function condition(type: string, status: string, reason: string, message: string, nowMs: number): DeploymentCondition {
  const time = formatTime(nowMs);
  return { type, status, reason, message, lastUpdateTime: time, lastTransitionTime: time };
}

/** With this condition last, unless it says the same already; the transition time stays while the status does. */
export function set(conditions: Conditions, next: DeploymentCondition): Conditions {
  const current = findCondition(conditions, next.type);
  if (current?.status === next.status && current.reason === next.reason) return conditions;
  const since = current?.status === next.status ? current.lastTransitionTime : next.lastTransitionTime;
  return [...withoutCondition(conditions, next.type), { ...next, ...(since && { lastTransitionTime: since }) }];
}

/** Counts of 0 are left out, as the API has it. */
function countReplicas({ metadata, status }: Deployment, { sets, newest }: DeploymentView): DeploymentStatus {
  const sum = (count: (set: ReplicaSet) => number | undefined): number =>
    sets.reduce((all, each) => all + (each.set ? (count(each.set) ?? 0) : 0), 0);
  const asked = sets.reduce((all, { replicas }) => all + replicas, 0);
  const replicas = sum((each) => each.status?.replicas);
  const updatedReplicas = newest?.set?.status?.replicas ?? 0;
  const readyReplicas = sum((each) => each.status?.readyReplicas);
  const availableReplicas = sum((each) => each.status?.availableReplicas);
  const unavailableReplicas = Math.max(0, asked - availableReplicas);
  // Only known when every set that was looked at says so.
  const knowsTerminating = sets.every((each) => !each.set?.status?.observedGeneration || each.set.status.terminatingReplicas !== undefined);
  return {
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    ...(replicas && { replicas }),
    ...(updatedReplicas && { updatedReplicas }),
    ...(readyReplicas && { readyReplicas }),
    ...(availableReplicas && { availableReplicas }),
    ...(unavailableReplicas && { unavailableReplicas }),
    ...(knowsTerminating && { terminatingReplicas: sum((each) => each.status?.terminatingReplicas) }),
    ...(status?.collisionCount !== undefined && { collisionCount: status.collisionCount }),
  };
}

/** Pausing and resuming restart the clock, so that a resumed rollout has its whole deadline. */
function pauseOrResume(deployment: Deployment, conditions: Conditions, nowMs: number): Conditions {
  if (!hasDeadline(deployment) || deployment.metadata.deletionTimestamp) return conditions;
  const reason = findCondition(conditions, 'Progressing')?.reason;
  if (reason === 'ProgressDeadlineExceeded') return conditions;
  if (deployment.spec.paused) {
    return reason === 'DeploymentPaused'
      ? conditions
      : set(conditions, condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', nowMs));
  }
  return reason === 'DeploymentPaused'
    ? set(conditions, condition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', nowMs))
    : conditions;
}

function noteNewest(deployment: Deployment, conditions: Conditions, { newestName, created, nowMs }: DeploymentView): Conditions {
  if (!hasDeadline(deployment) || !newestName) return conditions;
  if (created) {
    return set(conditions, condition('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${newestName}"`, nowMs));
  }
  if (findCondition(conditions, 'Progressing')) return conditions;
  return set(conditions, condition('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${newestName}"`, nowMs));
}

function progress(deployment: Deployment, counts: DeploymentStatus, conditions: Conditions, view: DeploymentView): Conditions {
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing');
  const { newestName, nowMs } = view;
  const subject = newestName ? `ReplicaSet "${newestName}"` : `Deployment "${deployment.metadata.name}"`;
  const current = findCondition(conditions, 'Progressing');
  const isDone = (counts.replicas ?? 0) === (counts.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (isDone) return conditions;
  if (isComplete(deployment, counts)) {
    return set(conditions, condition('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`, nowMs));
  }
  if (isProgressing(deployment.status ?? {}, counts)) {
    const next = condition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, nowMs);
    const since = current?.status === 'True' ? current.lastTransitionTime : next.lastTransitionTime;
    // Taken out first: its update time is what the deadline counts from.
    return [...withoutCondition(conditions, 'Progressing'), { ...next, ...(since && { lastTransitionTime: since }) }];
  }
  if (isTimedOut(deployment, current, nowMs)) {
    return set(conditions, condition('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`, nowMs));
  }
  return conditions;
}

/** More updated, ready or available replicas than before, or fewer old ones. */
function isProgressing(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: Deployment, current: DeploymentCondition | undefined, nowMs: number): boolean {
  if (!current || current.reason === 'NewReplicaSetAvailable') return false;
  if (current.reason === 'ProgressDeadlineExceeded') return true;
  const sinceMs = parseTime(current.lastUpdateTime ?? '') ?? nowMs;
  return sinceMs + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** A ReplicaSet that can't make its pods, the newest first. */
function failure(conditions: Conditions, { sets, newest }: DeploymentView): Conditions {
  const candidates = newest ? [newest, ...sets] : sets;
  for (const each of candidates) {
    const failed = findCondition(each.set?.status?.conditions, 'ReplicaFailure');
    if (!failed) continue;
    const { lastTransitionTime = '' } = failed;
    return set(conditions, { ...failed, lastUpdateTime: lastTransitionTime, lastTransitionTime });
  }
  return withoutCondition(conditions, 'ReplicaFailure');
}
