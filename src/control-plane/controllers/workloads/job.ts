/**
 * Jobs: runs pods until enough of them have succeeded, or too many failed.
 *
 * Guarantees: each pod that ends is counted exactly once, through crashes and restarts: it carries a finalizer until
 * the status has it (job-plan.ts). What its pods do within a second is one step. A Job is Complete or Failed only when no pod of it is left running.
 * What it does not do: Jobs that say `managedBy` another controller; pod groups (alpha).
 * The back-off of a Job starts anew when the controller does.
 * Upstream: pkg/controller/job.
 */
import type { JobStatus } from '../../../api/generated/batch-v1.ts';
import { Job, Pod } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { type KubeObject, keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, controllerOf, keysOfOwners, matcherOf, orphansIn } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating } from '../pods/pod-control.ts';
import { settleAll, slowStart } from '../slow-start.ts';
import { type FailureRecord, noFailures } from './job-backoff.ts';
import {
  type Acted,
  countReady,
  countReleased,
  deadlineLeftMs,
  finishJob,
  isFinished,
  type Judgement,
  jobCondition,
  judgeJob,
  planPods,
  type Tracking,
  trackJob,
  uncountedMax,
} from './job-plan.ts';
import { isTracked, makeJobPod, trackingFinalizer } from './job-pod.ts';

const controllerName = 'kubernetes.io/job-controller';
const concurrency = 5;
/** What pods do in this time is counted at once: a Job of many pods is not written for each. */
const gatherMs = 1000;
/** keys of pods that lost their Job, beside the keys of Jobs */
const podPrefix = 'pod ';

const isOurs = (job: Job): boolean => job.spec.managedBy === undefined || job.spec.managedBy === controllerName;
const keyOfPod = (pod: Pod): ObjectKey => podPrefix + keyOf(pod);

type FailureRecords = Map<ObjectKey, FailureRecord & { readonly uid: string }>;

export function jobController(): Controller {
  const records: FailureRecords = new Map();
  const keysOfJobs = keysOfOwners(Job, (job) => matcherOf(job.spec.selector));
  return defineController({
    name: 'job-controller',
    watches: [
      { kind: Job, gatherMs: (job: Job, old?: Job) => (isStatusChange(job, old) ? gatherMs : 0) },
      { kind: Pod, keys: keysOfJobs, gatherMs: () => gatherMs },
      watched(Job, (job, _old, io) => keysOfLeftPods(job, io)),
      watched(Pod, (pod, _old, io) => (isTracked(pod) && !jobOf(pod, io) ? [keyOfPod(pod)] : [])),
    ],
    concurrency,
    reconcile: (key, io) => (key.startsWith(podPrefix) ? releaseOrphan(key.slice(podPrefix.length), io) : reconcile(key, records, io)),
  });
}

const isStatusChange = (job: Job, old: Job | undefined): boolean =>
  old !== undefined && old.metadata.uid === job.metadata.uid && old.metadata.generation === job.metadata.generation && !isFinished(job);

/** A Job that is gone or over holds no pod back. */
function keysOfLeftPods(job: Job, io: ControllerIO): readonly ObjectKey[] {
  const isGone = io.client.informer(Job).get(keyOf(job))?.metadata.uid !== job.metadata.uid;
  if (!isGone && !isFinished(job)) return [];
  return controlledBy(io.client.informer(Pod), job).filter(isTracked).map(keyOfPod);
}

/** The Job that controls the pod and still counts it. */
function jobOf(pod: Pod, io: ControllerIO): KubeObject | undefined {
  const reference = controllerOf(pod);
  if (!reference) return undefined;
  if (reference.kind !== 'Job' || !reference.apiVersion.startsWith('batch/')) return pod;
  const job = io.client.informer(Job).get(`${pod.metadata.namespace}/${reference.name}`);
  return job?.metadata.uid === reference.uid && (!isFinished(job) || !isOurs(job)) ? job : undefined;
}

async function releaseOrphan(key: ObjectKey, io: ControllerIO): Promise<void> {
  const pod = io.client.informer(Pod).get(key);
  if (pod && isTracked(pod) && !jobOf(pod, io)) await removeFinalizer(pod, io);
}

async function reconcile(key: ObjectKey, records: FailureRecords, io: ControllerIO): Promise<Outcome> {
  const job = io.client.informer(Job).get(key);
  const { uid = '', namespace = '' } = job?.metadata ?? {};
  if (records.get(key)?.uid !== uid || (job && isFinished(job))) records.delete(key);
  if (!job || !isOurs(job) || isFinished(job)) return;
  const informer = io.client.informer(Pod);
  const matcher = matcherOf(job.spec.selector);
  const matches = (pod: Pod): boolean => matcher.matches(pod.metadata.labels);
  const candidates = [...controlledBy(informer, job), ...orphansIn(informer, namespace)];
  const claimant = { owner: job, ownerKind: Job, kind: Pod, matches, finalizer: trackingFinalizer };
  const pods = await adoptAndRelease(io.client, claimant, candidates);

  const judged = judgeJob(job, pods, records.get(key) ?? noFailures, io.clock.now());
  const plan = planPods(judged);
  const { acted, failure } = await act(judged, plan, io);
  const tracking = trackJob(judged, acted, settleVerdict(judged, acted));
  await track(job, tracking, judged, () => records.set(key, { ...judged.failures, uid }), io);
  if (failure) throw failure;
  const nextMs = Math.min(
    plan.waitMs ?? Number.POSITIVE_INFINITY,
    judged.verdict ? Number.POSITIVE_INFINITY : deadlineLeftMs(job, judged.startTime, io.clock.now()),
  );
  return Number.isFinite(nextMs) ? { requeueAfterMs: Math.max(nextMs, 1) } : undefined;
}

/** Takes pods away and makes new ones; what fails is told after the status was written. */
async function act(
  judged: Judgement,
  { remove, create }: ReturnType<typeof planPods>,
  io: ControllerIO,
): Promise<{ acted: Acted; failure: unknown }> {
  const { job, active, verdict, replaced } = judged;
  let { length: count } = active;
  let { terminating } = judged;
  let ready = countReady(active);
  let failure: unknown;
  const take = async (pod: Pod): Promise<void> => {
    // When the Job goes on without it, the pod does not count as failed.
    if (!verdict) await removeFinalizer(pod, io);
    await deletePod(io, job, pod);
    count--;
    terminating++;
    ready -= countReady([pod]);
  };
  try {
    await settleAll(remove.map(take));
    await slowStart(create.length, async (i) => {
      const index = create[i];
      await createPod(io, job, makeJobPod(job, index, index === undefined ? undefined : replaced.get(index))).catch((error: unknown) => {
        if (!isNamespaceTerminating(error)) throw error;
      });
      count++;
    });
  } catch (error) {
    failure = error;
  }
  return { acted: { active: count, ready, terminating }, failure };
}

/** A verdict stands once no pod is active; enough successes are one too. */
function settleVerdict({ job, verdict, succeeded, nowMs }: Judgement, { active }: Acted) {
  if (verdict) return active === 0 ? verdict : undefined;
  const { completions } = job.spec;
  const isEnough = completions === undefined ? succeeded > 0 : succeeded >= completions;
  if (!isEnough || active > 0) return undefined;
  return jobCondition('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods', nowMs);
}

async function track(job: Job, tracking: Tracking, judged: Judgement, recordFailures: () => void, io: ControllerIO): Promise<void> {
  for (const [reason, message] of tracking.events) io.events.event(job, 'Normal', reason, message);
  let current = job;
  const write = async (status: JobStatus): Promise<void> => {
    if (!equalJson(status, current.status)) current = await io.client.update(Job, { ...current, status }, { subresource: 'status' });
  };
  await write(tracking.status);
  recordFailures();
  const tracked = new Set(judged.pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  let failure: unknown;
  await settleAll(tracking.release.map((pod) => removeFinalizer(pod, io).then(() => tracked.delete(pod.metadata.uid)))).catch(
    (error: unknown) => {
      failure = error;
    },
  );
  const counted = countReleased(current.status, tracked);
  const finished = failure ? counted : finishJob(counted, tracking.finish, tracking.release.length < uncountedMax);
  await write(finished);
  if (failure) throw failure;
  if (tracking.finish && isFinished({ ...job, status: finished })) tellFinished(job, finished, tracking.finish, io);
}

function tellFinished(
  job: Job,
  status: JobStatus,
  { type, reason = '', message = '' }: NonNullable<Tracking['finish']>,
  io: ControllerIO,
): void {
  if (type !== 'Complete') {
    io.events.event(job, 'Warning', reason, message);
    return;
  }
  if (job.spec.completions !== undefined && (status.succeeded ?? 0) > job.spec.completions) {
    io.events.event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached');
  }
  io.events.event(job, 'Normal', 'Completed', 'Job completed');
}

async function removeFinalizer(pod: Pod, io: ControllerIO): Promise<void> {
  if (!isTracked(pod)) return;
  const metadata = { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] };
  await io.client.patch(Pod, parseKey(keyOf(pod)), { type: 'strategic', body: { metadata } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
