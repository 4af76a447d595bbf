/**
 * What a Job needs next. Pure, in three steps: `judgeJob` counts what the pods say and decides whether the Job is over;
 * `planPods` says which pods to make and which to take away; `trackJob` writes into the status what ended, pod by pod,
 * so that each is counted once however often the controller is interrupted: first its uid goes to
 * uncountedTerminatedPods, then the pod loses its finalizer, then it is counted.
 * Upstream: pkg/controller/job/job_controller.go.
 */
import type { JobCondition, JobStatus } from '../../../api/generated/batch-v1.ts';
import type { Job, Pod } from '../../../api/generated/kinds.ts';
import { findCondition, isConditionTrue } from '../../../api/meta/conditions.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../../../api/predicates/pod-state.ts';
import { planPodDeletion } from '../pods/pod-deletion-order.ts';
import { backoffLeftMs, type FailureRecord, indexBackoffLeftMs, nextFailureRecord } from './job-backoff.ts';
import { IndexSet } from './job-indexes.ts';
import {
  allIndexFailures,
  finishedMs,
  indexFailures,
  indexOf,
  isIndexed,
  isPodFailed,
  isTracked,
  replacesFailedOnly,
  restartsOf,
} from './job-pod.ts';
import { matchFailurePolicy, matchSuccessPolicy } from './job-policy.ts';

const podsPerRoundMax = 500;
export const uncountedMax = 500;

export interface Judgement {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failures: FailureRecord;
  /** before this round, and now */
  readonly countedIndexes: IndexSet;
  readonly succeededIndexes: IndexSet;
  readonly failedIndexes: IndexSet | undefined;
  /** per index, the failed pod that waits for its replacement */
  readonly replaced: ReadonlyMap<number, Pod>;
  /** why the Job is over */
  readonly verdict: JobCondition | undefined;
  readonly startTime: string | undefined;
  readonly nowMs: number;
}

export const isFinished = (job: Job): boolean =>
  isConditionTrue(job.status?.conditions, 'Complete') || isConditionTrue(job.status?.conditions, 'Failed');
export const isSuspended = (job: Job): boolean => job.spec.suspend === true;

export function jobCondition(type: string, reason: string, message: string, nowMs: number, status = 'True'): JobCondition {
  const time = formatTime(nowMs);
  return { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time };
}

export function judgeJob(job: Job, pods: readonly Pod[], recorded: FailureRecord, nowMs: number): Judgement {
  const { uncountedTerminatedPods: uncounted, ...status } = job.status ?? {};
  const completions = job.spec.completions ?? 0;
  const isFresh = (pod: Pod, counted: readonly string[] = []): boolean => {
    const index = indexOf(pod);
    const hasIndex = !isIndexed(job) || (index !== undefined && index < completions);
    return isTracked(pod) && !counted.includes(pod.metadata.uid) && hasIndex;
  };
  const newSucceeded = pods.filter((pod) => pod.status?.phase === 'Succeeded' && isFresh(pod, uncounted?.succeeded));
  const newFailed = pods.filter((pod) => isPodFailed(pod, job) && isFresh(pod, uncounted?.failed));
  const counting = newFailed.filter((pod) => matchFailurePolicy(job.spec.podFailurePolicy, pod).counts);
  const failed = (status.failed ?? 0) + counting.length + (uncounted?.failed?.length ?? 0);
  const countedIndexes = IndexSet.parse(isIndexed(job) ? status.completedIndexes : '', completions);
  const succeededIndexes = countedIndexes.with(IndexSet.of(isIndexed(job) ? newSucceeded.flatMap((pod) => indexOf(pod) ?? []) : []));
  const failedIndexes = isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined ? judgeIndexes(job, newFailed) : undefined;
  const active = pods.filter(isPodActive);
  const started = {
    job,
    pods,
    active,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: isIndexed(job) ? succeededIndexes.size : (status.succeeded ?? 0) + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failures: nextFailureRecord(recorded, newSucceeded, newFailed),
    countedIndexes,
    succeededIndexes,
    failedIndexes,
    replaced: failedIndexes
      ? lastFailedPods(
          pods.filter((pod) => isPodFailed(pod, job) && isFresh(pod)),
          active,
          succeededIndexes.with(failedIndexes),
        )
      : new Map(),
    startTime: status.startTime ?? (isSuspended(job) ? undefined : formatTime(nowMs)),
    nowMs,
  };
  return { ...started, verdict: findVerdict(started, failed) };
}

function judgeIndexes(job: Job, newFailed: readonly Pod[]): IndexSet {
  const limit = job.spec.backoffLimitPerIndex ?? 0;
  const isLost = (pod: Pod): boolean => {
    const { counts, failsIndex } = matchFailurePolicy(job.spec.podFailurePolicy, pod);
    return failsIndex || (counts && indexFailures(pod) >= limit);
  };
  const lost = newFailed.filter(isLost).flatMap((pod) => indexOf(pod) ?? []);
  return IndexSet.parse(job.status?.failedIndexes, job.spec.completions ?? 0).with(IndexSet.of(lost));
}

/** Failed pods keep their finalizer until another runs in their place: they carry the count of failures. */
function lastFailedPods(failed: readonly Pod[], active: readonly Pod[], decided: IndexSet): ReadonlyMap<number, Pod> {
  const running = new Set(active.map(indexOf));
  const last = new Map<number, Pod>();
  for (const pod of failed) {
    const index = indexOf(pod);
    if (index === undefined || decided.has(index) || running.has(index)) continue;
    const before = last.get(index);
    if (!before || (allIndexFailures(before) <= allIndexFailures(pod) && finishedMs(pod) >= finishedMs(before))) last.set(index, pod);
  }
  return last;
}

/** Earlier verdicts stand; then failures, then success. */
function findVerdict(seen: Omit<Judgement, 'verdict'>, failed: number): JobCondition | undefined {
  const { job, pods, succeededIndexes, failedIndexes, startTime, nowMs } = seen;
  const { spec, status } = job;
  const met = findCondition(status?.conditions, 'SuccessCriteriaMet');
  if (met?.status === 'True') return met;
  const target = findCondition(status?.conditions, 'FailureTarget');
  if (target?.status === 'True') return { ...jobCondition('Failed', target.reason ?? '', target.message ?? '', nowMs) };
  const fail = (reason: string, message: string): JobCondition => jobCondition('FailureTarget', reason, message, nowMs);

  for (const pod of spec.podFailurePolicy ? pods : []) {
    const { failsJob } = isPodFailed(pod, job) ? matchFailurePolicy(spec.podFailurePolicy, pod) : {};
    if (failsJob) return fail('PodFailurePolicy', failsJob);
  }
  if (failed > (spec.backoffLimit ?? 6) || restartedTooOften(job, pods)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (spec.activeDeadlineSeconds !== undefined && startTime && !isSuspended(job) && deadlineLeftMs(job, startTime, nowMs) <= 0) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (!isIndexed(job)) return undefined;
  if (failedIndexes) {
    if (spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes) {
      return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
    }
    if (failedIndexes.size > 0 && failedIndexes.size + succeededIndexes.size >= (spec.completions ?? 0)) {
      return fail('FailedIndexes', 'Job has failed indexes');
    }
  }
  const message = matchSuccessPolicy(spec.successPolicy, spec.completions ?? 0, succeededIndexes);
  return message === undefined ? undefined : jobCondition('SuccessCriteriaMet', 'SuccessPolicy', message, nowMs);
}

/** With restartPolicy OnFailure, restarts in place count towards the limit. */
function restartedTooOften({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const limit = spec.backoffLimit ?? 6;
  const alive = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
  const restarts = alive.reduce((sum, pod) => sum + restartsOf(pod), 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** How long the Job may still be active; Infinity without a deadline. */
export function deadlineLeftMs({ spec }: Job, startTime: string | undefined, nowMs: number): number {
  if (spec.activeDeadlineSeconds === undefined || !startTime) return Number.POSITIVE_INFINITY;
  return (parseTime(startTime) ?? nowMs) + spec.activeDeadlineSeconds * 1000 - nowMs;
}

export interface JobPodPlan {
  readonly remove: readonly Pod[];
  /** indexes of the pods to make; undefined for those without */
  readonly create: readonly (number | undefined)[];
  /** the next pods may only be made after a while */
  readonly waitMs?: number | undefined;
}

export function planPods(judged: Judgement): JobPodPlan {
  const { job, active, nowMs } = judged;
  if (judged.verdict) return { remove: active, create: [] };
  if (job.metadata.deletionTimestamp) return { remove: [], create: [] };
  if (isSuspended(job)) return { remove: active, create: [] };
  const wanted = wantedActive(judged);
  const remove = surplus(judged, Math.max(0, active.length - wanted)).slice(0, podsPerRoundMax);
  if (remove.length > 0) return { remove, create: [] };
  const missing = Math.min(wanted - active.length - (replacesFailedOnly(job) ? judged.terminating : 0), podsPerRoundMax);
  if (missing <= 0) return { remove: [], create: [] };
  if (!isIndexed(job)) {
    const waitMs = backoffLeftMs(judged.failures, nowMs);
    return waitMs > 0 ? { remove: [], create: [], waitMs } : { remove: [], create: new Array<undefined>(missing).fill(undefined) };
  }
  return planIndexes(judged, missing);
}

function wantedActive({ job, active, succeeded }: Judgement): number {
  const { parallelism = 1, completions } = job.spec;
  // A work queue: once one has succeeded, the others are let finish and none is started.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** At least `count` pods that are too many: first those of an index that has another, or should have none. */
function surplus({ job, active, nowMs }: Judgement, count: number): readonly Pod[] {
  if (!isIndexed(job)) return count > 0 ? planPodDeletion(active, [], count, nowMs) : [];
  const byIndex = Map.groupBy(active, indexOf);
  const remove: Pod[] = [];
  const keep: Pod[] = [];
  for (const [index, pods] of byIndex) {
    if (index === undefined || index >= (job.spec.completions ?? 0)) remove.push(...pods);
    else {
      const doubles = pods.length > 1 ? planPodDeletion(pods, [], pods.length - 1, nowMs) : [];
      remove.push(...doubles);
      keep.push(...pods.filter((pod) => !doubles.includes(pod)));
    }
  }
  return remove.length < count ? [...remove, ...planPodDeletion(keep, [], count - remove.length, nowMs)] : remove;
}

function planIndexes(judged: Judgement, missing: number): JobPodPlan {
  const { job, pods, active, succeededIndexes, failedIndexes, replaced, nowMs } = judged;
  const going = replacesFailedOnly(job) ? pods.filter(isPodTerminating) : [];
  const taken = IndexSet.of([...active, ...going].flatMap((pod) => indexOf(pod) ?? []));
  const decided = failedIndexes ? succeededIndexes.with(failedIndexes) : succeededIndexes;
  const indexes = decided.with(taken).firstMissing(missing, job.spec.completions ?? 0);
  if (!failedIndexes) {
    const waitMs = backoffLeftMs(judged.failures, nowMs);
    return waitMs > 0 ? { remove: [], create: [], waitMs } : { remove: [], create: indexes };
  }
  const waits = indexes.map((index) => indexBackoffLeftMs(replaced.get(index), nowMs));
  const create = indexes.filter((_, i) => waits[i] === 0);
  const waiting = waits.filter((waitMs) => waitMs > 0);
  return { remove: [], create, waitMs: waiting.length > 0 ? Math.min(...waiting) : undefined };
}

/** The counts after the pods were made and taken away. */
export interface Acted {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
}

export interface Tracking {
  /** to be written before finalizers are removed */
  readonly status: JobStatus;
  readonly release: readonly Pod[];
  /** what the Job comes to once nothing is uncounted or terminating */
  readonly finish: JobCondition | undefined;
  readonly events: readonly (readonly [reason: string, message: string])[];
}

export function trackJob(judged: Judgement, acted: Acted, verdict: JobCondition | undefined): Tracking {
  const { job, pods, nowMs } = judged;
  const isTrackedPod = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  const counted = countReleased(job.status ?? {}, isTrackedPod);
  const { release, succeeded, failed, indexes } = collectEnded(judged, counted, verdict);
  const events: [string, string][] = [];
  let conditions = job.status?.conditions ?? [];
  let { startTime } = judged;
  if (!verdict && !judged.verdict && !job.metadata.deletionTimestamp) {
    const change = suspendOrResume(job, nowMs);
    if (change) {
      conditions = [...conditions.filter(({ type }) => type !== 'Suspended'), change.condition];
      events.push(change.event);
      startTime = change.startTime;
    }
  }
  let finish = verdict;
  if (verdict && verdict.type !== 'Failed') {
    if (!isConditionTrue(conditions, verdict.type)) conditions = [...conditions, verdict];
    const type = verdict.type === 'FailureTarget' ? 'Failed' : 'Complete';
    finish = jobCondition(type, verdict.reason ?? '', verdict.message ?? '', nowMs);
  }
  const completed = judged.countedIndexes.with(IndexSet.of(indexes));
  const status = compactStatus({
    ...counted,
    conditions,
    active: acted.active,
    ready: acted.ready,
    terminating: acted.terminating,
    uncountedTerminatedPods: uncountedOf(succeeded, failed),
    startTime,
    ...(isIndexed(job) && { succeeded: completed.size, completedIndexes: String(completed) }),
    ...(judged.failedIndexes && { failedIndexes: String(judged.failedIndexes) }),
  });
  return { status, release, finish, events };
}

const uncountedOf = (succeeded: readonly string[], failed: readonly string[]) => ({
  ...(succeeded.length > 0 && { succeeded }),
  ...(failed.length > 0 && { failed }),
});

/** Pods that have lost their finalizer, or are gone, go from uncounted to counted. */
export function countReleased(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const leftSucceeded = succeeded.filter((uid) => tracked.has(uid));
  const leftFailed = failed.filter((uid) => tracked.has(uid));
  if (leftSucceeded.length === succeeded.length && leftFailed.length === failed.length) return status;
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - leftSucceeded.length,
    failed: (status.failed ?? 0) + failed.length - leftFailed.length,
    uncountedTerminatedPods: uncountedOf(leftSucceeded, leftFailed),
  };
}

/** Pods that have ended, and may lose their finalizer once the status has them. */
function collectEnded(judged: Judgement, counted: JobStatus, verdict: JobCondition | undefined) {
  const { job, countedIndexes, replaced } = judged;
  const completions = job.spec.completions ?? 0;
  const release: Pod[] = [];
  const succeeded = [...(counted.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(counted.uncountedTerminatedPods?.failed ?? [])];
  const indexes: number[] = [];
  const pods = isIndexed(job) ? judged.pods.toSorted((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1)) : judged.pods;
  for (const pod of pods) {
    if (indexes.length + succeeded.length + failed.length >= uncountedMax) break;
    const hasFailed = isPodFailed(pod, job);
    const isOver = job.metadata.deletionTimestamp !== undefined || verdict !== undefined || pod.status?.phase === 'Succeeded';
    const index = indexOf(pod);
    const isAwaited = index !== undefined && replaced.get(index) === pod;
    if (!isTracked(pod) || !(isOver || (hasFailed && !isAwaited))) continue;
    release.push(pod);
    const { uid } = pod.metadata;
    const hasIndex = index !== undefined && index < completions;
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (!isIndexed(job)) {
        if (!succeeded.includes(uid)) succeeded.push(uid);
      } else if (hasIndex && !countedIndexes.has(index)) indexes.push(index);
    } else if (hasFailed || (verdict && verdict.type !== 'SuccessCriteriaMet')) {
      const counts = matchFailurePolicy(job.spec.podFailurePolicy, pod).counts;
      if (!failed.includes(uid) && (!isIndexed(job) || hasIndex) && counts) failed.push(uid);
    }
  }
  return { release, succeeded, failed, indexes };
}

function suspendOrResume(job: Job, nowMs: number) {
  const before = findCondition(job.status?.conditions, 'Suspended');
  if (isSuspended(job)) {
    if (before?.status === 'True') return undefined;
    const condition = jobCondition('Suspended', 'JobSuspended', 'Job suspended', nowMs);
    return { condition, event: ['Suspended', 'Job suspended'] as [string, string], startTime: undefined };
  }
  if (before?.status !== 'True') return undefined;
  const condition = jobCondition('Suspended', 'JobResumed', 'Job resumed', nowMs, 'False');
  return { condition, event: ['Resumed', 'Job resumed'] as [string, string], startTime: formatTime(nowMs) };
}

/** With the last condition, if nothing is left to be counted or waited for. */
export function finishJob(status: JobStatus, finish: JobCondition | undefined, releasedAll: boolean): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (!finish || !releasedAll || succeeded.length + failed.length > 0 || (status.terminating ?? 0) > 0) return status;
  return {
    ...status,
    conditions: [...(status.conditions ?? []).filter(({ type }) => type !== finish.type), finish],
    ...(finish.type === 'Complete' && finish.lastTransitionTime && { completionTime: finish.lastTransitionTime }),
  };
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Fields as the API has them: counts of 0 and what is absent left out, `ready` and `terminating` always there. */
function compactStatus(status: Loose<JobStatus>): JobStatus {
  const kept = Object.entries(status).filter(([name, value]) => {
    if (value === undefined || value === '') return name === 'failedIndexes' && value === '';
    if (value === 0) return name === 'ready' || name === 'terminating';
    return !(Array.isArray(value) && value.length === 0);
  });
  return Object.fromEntries(kept) as JobStatus;
}

export const countReady = (pods: readonly Pod[]): number => pods.filter(isPodReady).length;
