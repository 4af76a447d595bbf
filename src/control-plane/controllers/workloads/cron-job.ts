/**
 * CronJobs: makes Jobs by a schedule.
 *
 * Guarantees: one Job per scheduled time, named after it, however often the controller is interrupted; of times that
 * were missed only the last is made up for, and only within the starting deadline; nothing polls, each CronJob waits
 * for its next time. Upstream: pkg/controller/cronjob.
 */
import type { CronJobStatus } from '../../../api/generated/batch-v1.ts';
import { CronJob, Job } from '../../../api/generated/kinds.ts';
import { type CronSchedule, parseCron } from '../../../api/meta/cron.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { keyOf, type New, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { LabelMatcher } from '../../../api/meta/selectors.ts';
import { isAlreadyExists, isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { TimeZone } from '../../../api/meta/time-zone.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { controlledBy, controllerReference, isControlledBy, keysOfOwners } from '../owner.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { findDue } from './due-time.ts';
import { isFinished } from './job-plan.ts';

const timestampAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** The clock of the API server may be a little behind. */
const slackMs = 100;

type Active = NonNullable<CronJobStatus['active']>[number];

export const cronJobController = defineController({
  name: 'cronjob-controller',
  watches: [
    watched(CronJob),
    watched(
      Job,
      keysOfOwners(CronJob, () => LabelMatcher.nothing),
    ),
  ],
  concurrency: 5,
  reconcile,
});

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const cronJob = io.client.informer(CronJob).get(key);
  if (!cronJob) return;
  const jobs = controlledBy(io.client.informer(Job), cronJob);
  const observed = observe(cronJob, jobs, io);
  const { status: ran, againMs } = await run({ ...cronJob, status: observed }, jobs, io);
  const status = compact(ran);
  if (!equalJson(status, cronJob.status ?? {})) await io.client.update(CronJob, { ...cronJob, status }, { subresource: 'status' });
  await forgetFinished(cronJob, jobs, io);
  return againMs === undefined ? undefined : { requeueAfterMs: againMs };
}

const isSucceeded = (job: Job): boolean =>
  job.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') ?? false;

/** The status without Jobs that are over or gone. */
function observe(cronJob: CronJob, jobs: readonly Job[], io: ControllerIO): CronJobStatus {
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => io.events.event(cronJob, type, reason, message);
  const before = cronJob.status ?? {};
  const byUID = new Map(jobs.map((job) => [job.metadata.uid, job]));
  const active: Active[] = [];
  for (const reference of before.active ?? []) {
    const job = byUID.get(reference.uid ?? '');
    if (!job) tell('Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
    else if (isFinished(job)) {
      const condition = isSucceeded(job) ? 'Complete' : 'Failed';
      tell('Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${condition}`);
    } else active.push(reference);
  }
  for (const job of jobs) {
    const isKnown = before.active?.some(({ uid }) => uid === job.metadata.uid) ?? false;
    if (isKnown || isFinished(job)) continue;
    tell('Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
  }
  const times = jobs.filter(isSucceeded).flatMap((job) => job.status.completionTime ?? []);
  const lastSuccessfulTime = [...times, before.lastSuccessfulTime ?? ''].sort().at(-1);
  return { ...before, active, ...(lastSuccessfulTime && { lastSuccessfulTime }) };
}

/** An empty list is left out, as the API has it. */
function compact({ active, ...status }: CronJobStatus): CronJobStatus {
  return { ...(active?.length && { active }), ...status };
}

interface Ran {
  readonly status: CronJobStatus;
  readonly againMs?: number | undefined;
}

async function run(cronJob: CronJob & { readonly status: CronJobStatus }, jobs: readonly Job[], io: ControllerIO): Promise<Ran> {
  const { spec, status, metadata } = cronJob;
  if (metadata.deletionTimestamp || spec.suspend) return { status };
  const timetable = timetableOf(cronJob, io);
  if (!timetable) return { status };
  const { schedule, zone } = timetable;
  const nowMs = io.clock.now();
  const { dueMs, tooManyMissed, isEmpty } = findDue(cronJob, schedule, nowMs, true);
  if (isEmpty) {
    const message = `invalid schedule: ${spec.schedule} : time difference between two schedules is less than 1 second`;
    io.events.event(cronJob, 'Warning', 'InvalidSchedule', message);
    return { status };
  }
  const again = (of: CronJobStatus): Ran => {
    const latest = findDue({ ...cronJob, status: of }, schedule, nowMs, false);
    const nextMs = schedule.next(latest.dueMs ?? (latest.tooManyMissed ? nowMs : latest.fromMs));
    return { status: of, againMs: nextMs === undefined ? undefined : Math.max(nextMs - nowMs, 0) + slackMs };
  };
  if (dueMs === undefined) return again(status);
  if (tooManyMissed) {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    io.events.event(cronJob, 'Warning', 'TooManyMissedTimes', message);
  }
  if (spec.startingDeadlineSeconds !== undefined && dueMs + spec.startingDeadlineSeconds * 1000 < nowMs) {
    const time = new Date(dueMs).toUTCString().replace('GMT', '+0000');
    io.events.event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${time}`);
    return again(status);
  }
  const name = `${metadata.name}-${Math.floor(dueMs / 60_000)}`;
  if (status.active?.some((reference) => reference.name === name) || status.lastScheduleTime === formatTime(dueMs)) return again(status);
  if (spec.concurrencyPolicy === 'Forbid' && status.active?.length) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    io.events.event(cronJob, 'Normal', 'JobAlreadyActive', message);
    return again(status);
  }
  let active = status.active ?? [];
  if (spec.concurrencyPolicy === 'Replace') {
    for (const job of jobs.filter(({ metadata: { uid } }) => active.some((reference) => reference.uid === uid)))
      await deleteJob(cronJob, job, io);
    active = [];
  }
  const reference = await createJob(cronJob, name, zone.format(dueMs), io);
  return again(reference ? { ...status, active: [...active, reference], lastScheduleTime: formatTime(dueMs) } : { ...status, active });
}

interface Timetable {
  readonly schedule: CronSchedule;
  readonly zone: TimeZone;
}

/** undefined: it can't be read, which its events say */
function timetableOf(cronJob: CronJob, io: ControllerIO): Timetable | undefined {
  const { schedule, timeZone = 'UTC' } = cronJob.spec;
  const tell = (reason: string, message: string): void => io.events.event(cronJob, 'Warning', reason, message);
  const zone = TimeZone.find(timeZone);
  if (!zone) {
    tell('UnknownTimeZone', `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`);
    return undefined;
  }
  if (schedule.includes('TZ')) {
    const more = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
    tell('UnsupportedSchedule', `CRON_TZ or TZ used in schedule "${schedule}" is not officially supported, ${more}`);
  }
  try {
    return { schedule: parseCron(schedule, zone), zone };
  } catch (error) {
    tell('UnparseableSchedule', `unparseable schedule: "${schedule}" : ${messageOf(error)}`);
    return undefined;
  }
}

function makeJob(cronJob: CronJob, name: string, scheduledAt: string): New<Job> {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    metadata: {
      namespace: cronJob.metadata.namespace,
      name,
      ...(metadata?.labels && { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [timestampAnnotation]: scheduledAt },
      ownerReferences: [controllerReference(CronJob, cronJob)],
    },
    spec: spec ?? { template: {} },
  };
}

/** undefined: the namespace is going */
async function createJob(cronJob: CronJob, name: string, scheduledAt: string, io: ControllerIO): Promise<Active | undefined> {
  try {
    const job = await io.client.create(Job, makeJob(cronJob, name, scheduledAt), { why: () => `due at ${scheduledAt}` });
    io.events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    return referenceTo(job);
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (isAlreadyExists(error)) {
      // Made before, and the status not written any more.
      const job = await io.client.get(Job, { namespace: cronJob.metadata.namespace, name });
      if (isControlledBy(job, cronJob)) return referenceTo(job);
    }
    io.events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
    throw error;
  }
}

const referenceTo = ({ metadata: { namespace, name, uid, resourceVersion } }: Job): Active => ({
  kind: 'Job',
  apiVersion: 'batch/v1',
  namespace,
  name,
  uid,
  resourceVersion,
});

async function deleteJob(cronJob: CronJob, job: Job, io: ControllerIO): Promise<void> {
  try {
    await io.client.delete(Job, parseKey(keyOf(job)), {
      propagationPolicy: 'Background',
      why: () => 'it makes room for the next, or is old',
    });
    io.events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
  } catch (error) {
    if (isNotFound(error)) return;
    io.events.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    throw error;
  }
}

/** Of finished Jobs the newest stay, as many as the limits say. */
async function forgetFinished(cronJob: CronJob, jobs: readonly Job[], io: ControllerIO): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
  const finished = jobs.filter((job) => isFinished(job) && !job.metadata.deletionTimestamp);
  for (const [list, limit] of [
    [finished.filter(isSucceeded), successfulJobsHistoryLimit],
    [finished.filter((job) => !isSucceeded(job)), failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue;
    const surplus = list.toSorted(byStart).slice(0, Math.max(0, list.length - limit));
    for (const job of surplus) await deleteJob(cronJob, job, io);
  }
}

function byStart(a: Job, b: Job): number {
  const [start, otherStart] = [a.status?.startTime ?? '~', b.status?.startTime ?? '~'];
  if (start !== otherStart) return start < otherStart ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
