/**
 * Checks of a Job's status, which controllers other than the built-in one may write, too: conditions agree with each
 * other and with the counters, and an end stays an end. Rules hold for what an update changes.
 * Upstream: pkg/apis/batch/validation/validation.go (validateJobStatus), pkg/registry/batch/job/strategy.go.
 */

import type { Job, JobStatus } from '../../generated/batch-v1.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { listOf } from '../lists.ts';
import { counters } from '../replica-status.ts';
import { parseIndexes } from './job-policies.ts';

type JobCondition = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet' | 'Suspended';
const is = (job: Job, type: JobCondition): boolean => isConditionTrue(job.status.conditions, type);
const isFinished = (job: Job): boolean => is(job, 'Complete') || is(job, 'Failed');

export const jobStatus: Rule<Job> = (job, walk, old = job) => {
  walk.check('status', job.status, counts);
  checkUncounted(walk, job.status);
  for (const check of [checkConditions, checkTimes, checkFinished, checkIndexes, checkTransitions]) check(walk, job, old);
};
const counts = counters<JobStatus>('active', 'succeeded', 'failed', 'ready', 'terminating');

function checkUncounted(walk: Walk, { uncountedTerminatedPods }: JobStatus): void {
  const seen = new Set<string>();
  for (const field of ['succeeded', 'failed'] as const) {
    listOf(uncountedTerminatedPods?.[field]).forEach((uid, i) => {
      const path = `status.uncountedTerminatedPods.${field}[${i}]`;
      if (!uid) walk.invalid(path, uid, 'must not be empty');
      else if (seen.has(uid)) walk.duplicate(path, uid);
      seen.add(uid);
    });
  }
}

function checkConditions(walk: Walk, job: Job, old: Job): void {
  const bad = (message: string): void => walk.invalidWithoutValue('status.conditions', message);
  const changed = (...types: JobCondition[]): boolean => types.some((type) => is(job, type) !== is(old, type));
  const [complete, failed, target, met] = [is(job, 'Complete'), is(job, 'Failed'), is(job, 'FailureTarget'), is(job, 'SuccessCriteriaMet')];
  if (complete && failed && changed('Complete', 'Failed')) bad('cannot set Complete=True and Failed=true conditions');
  if (complete && target && changed('Complete', 'FailureTarget')) bad('cannot set Complete=True and FailureTarget=true conditions');
  if (failed && !target && (changed('Failed') || job.status.failedIndexes !== old.status.failedIndexes)) {
    bad('cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if (complete && !met && changed('Complete', 'SuccessCriteriaMet')) {
    bad('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  if (met && failed) bad('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (met && target) bad('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (job.spec.successPolicy && !met && complete) {
    bad('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
}

function checkTimes(walk: Walk, job: Job, old: Job): void {
  const { startTime, completionTime } = job.status;
  const startChanged = startTime !== old.status.startTime;
  const completionChanged = completionTime !== old.status.completionTime;
  const complete = is(job, 'Complete');
  if (completionChanged || complete !== is(old, 'Complete')) {
    const path = 'status.completionTime';
    if (completionTime && !complete) {
      walk.invalid(path, completionTime, 'cannot set completionTime when there is no Complete=True condition');
    }
    if (!completionTime && complete) walk.required(path, 'completionTime is required for Complete jobs');
  }
  if ((startChanged || completionChanged) && startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)) {
    walk.invalid('status.completionTime', completionTime, 'must be equal to or after `startTime`');
  }
}

function checkFinished(walk: Walk, job: Job, old: Job): void {
  const { status, spec } = job;
  const { active = 0, ready, terminating = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  const ended = isFinished(job) !== isFinished(old);
  if (isFinished(job)) {
    if (active > 0 && (ended || active !== (old.status.active ?? 0))) {
      walk.invalid('status.active', active, 'active>0 is invalid for finished job');
    }
    const neverStarted = spec.suspend && spec.completions === 0;
    if (!startTime && !neverStarted && (ended || startTime !== old.status.startTime)) {
      walk.required('status.startTime', 'startTime is required for finished job');
    }
    const isUncounted = listOf(uncounted?.failed).length + listOf(uncounted?.succeeded).length > 0;
    if (isUncounted && (ended || !equalSemantically(uncounted, old.status.uncountedTerminatedPods))) {
      walk.invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job');
    }
    if (terminating > 0 && (ended || terminating !== old.status.terminating)) {
      walk.invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job');
    }
  }
  const countsChanged = ready !== old.status.ready || active !== (old.status.active ?? 0);
  if (ready !== undefined && ready > active && countsChanged) {
    walk.invalid('status.ready', ready, 'cannot set more ready pods than active');
  }
}

function checkIndexes(walk: Walk, { spec, status }: Job, old: Job): void {
  const { completedIndexes = '', failedIndexes } = status;
  const completedChanged = completedIndexes !== (old.status.completedIndexes ?? '');
  const failedChanged = failedIndexes !== old.status.failedIndexes;
  const completed = parseIndexes(completedIndexes, spec.completions ?? 0);
  const failed = parseIndexes(failedIndexes ?? '', spec.completions ?? 0);
  const path = 'status.completedIndexes';
  const failedPath = 'status.failedIndexes';
  if (completedChanged && spec.completions !== undefined && 'error' in completed) {
    walk.invalid(path, completedIndexes, `error parsing completedIndexes: ${completed.error}`);
  }
  if (failedChanged && spec.completions !== undefined && spec.backoffLimitPerIndex !== undefined && 'error' in failed) {
    walk.invalid(failedPath, failedIndexes, `error parsing failedIndexes: ${failed.error}`);
  }
  if (completedChanged && completedIndexes && spec.completionMode !== 'Indexed') {
    walk.invalid(path, completedIndexes, 'cannot set non-empty completedIndexes when non-indexed completion mode');
  }
  if (failedChanged && failedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    walk.invalid(failedPath, failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null');
  }
  if ((!completedChanged && !failedChanged) || 'error' in completed || 'error' in failed) return;
  let next = 0;
  for (const [from, to] of completed.intervals) {
    while ((failed.intervals[next]?.[1] ?? from) < from) next++;
    const overlap = failed.intervals[next];
    if (!overlap || overlap[0] > to) continue;
    const message = `failedIndexes and completedIndexes overlap at index: ${Math.max(from, overlap[0])}`;
    walk.invalid(failedPath, failedIndexes, message);
    return;
  }
}

function checkTransitions(walk: Walk, job: Job, old: Job): void {
  const bad = (message: string): void => walk.invalidWithoutValue('status.conditions', message);
  const { status, spec } = job;
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const) {
    if (is(old, type) && !is(job, type)) bad(`cannot disable the terminal ${type}=True condition`);
  }
  const fewer = (field: 'failed' | 'succeeded'): boolean => (status[field] ?? 0) < (old.status[field] ?? 0);
  if (fewer('failed')) walk.invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter');
  const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (fewer('succeeded') && !elastic) {
    walk.invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter');
  }
  const { completionTime, startTime } = old.status;
  if (status.completionTime && completionTime && status.completionTime !== completionTime) {
    walk.invalid('status.completionTime', status.completionTime, 'field is immutable');
  }
  const resuming = is(old, 'Suspended') && status.conditions?.some((c) => c.type === 'Suspended' && c.status === 'False');
  if (startTime && status.startTime !== startTime && !spec.suspend && !resuming) {
    walk.invalid('status.startTime', status.startTime ?? null, 'field is immutable for unsuspended job once set');
  }
  const [met, wasMet] = [is(job, 'SuccessCriteriaMet'), is(old, 'SuccessCriteriaMet')];
  if (wasMet && !met) bad('cannot disable the SuccessCriteriaMet=True condition');
  if (is(old, 'Complete') && !wasMet && met) bad('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
}
