/**
 * PodDisruptionBudgets: counts how many of the selected pods are healthy, and so how many may be evicted.
 *
 * Guarantee: when the count can't be made, no disruption is allowed. A pod whose eviction was begun counts as gone for
 * two minutes; a DisruptionTarget condition that led to nothing is reset after as long.
 * Upstream: pkg/controller/disruption.
 */
import { Deployment, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, StatefulSet } from '../../../api/generated/kinds.ts';
import type { Condition, OwnerReference } from '../../../api/generated/meta-v1.ts';
import type { PodDisruptionBudgetStatus } from '../../../api/generated/policy-v1.ts';
import { findCondition, withCondition } from '../../../api/meta/conditions.ts';
import { equalJson, equalSemantically } from '../../../api/meta/deep-equal.ts';
import { scaleIntOrPercent } from '../../../api/meta/intstr.ts';
import { groupOf, type KubeObject, keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { isConflict, messageOf } from '../../../api/meta/status-error.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';
import { own, put } from '../../../api/meta/words.ts';
import { isPodReady, isPodTerminal } from '../../../api/predicates/pod-state.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { discoverResources, resourceOf } from '../../../client/transport/discovery.ts';
import { controllerOf, matcherOf } from '../owner.ts';

const evictionMsMax = 120_000;
const staleMs = 120_000;
/** keys of pods whose condition may be stale, beside the keys of budgets */
const podPrefix = 'pod ';

export const disruptionController = defineController({
  name: 'controllermanager',
  serviceAccount: 'disruption-controller',
  watches: [
    watched(PodDisruptionBudget),
    watched(Pod, keysOfPod),
    watched(ReplicaSet, () => []),
    watched(Deployment, () => []),
    watched(ReplicationController, () => []),
    watched(StatefulSet, () => []),
  ],
  concurrency: 5,
  reconcile: (key, io) => (key.startsWith(podPrefix) ? resetStale(key.slice(podPrefix.length), io) : reconcile(key, io)),
});

function keysOfPod(pod: Pod, old: Pod | undefined, io: ControllerIO): readonly ObjectKey[] {
  const looks = ({ metadata, status }: Pod): unknown => [metadata.labels, metadata.deletionTimestamp, isPodReady(pod), status?.phase];
  const isSame = old && isPodReady(old) === isPodReady(pod) && equalJson(looks(old), looks(pod));
  const stale = findCondition(pod.status?.conditions, 'DisruptionTarget')?.status === 'True' ? [podPrefix + keyOf(pod)] : [];
  if (isSame) return stale;
  const budgets = io.client.informer(PodDisruptionBudget).list(pod.metadata.namespace);
  const selects = ({ spec }: PodDisruptionBudget): boolean => {
    const matcher = matcherOf(spec?.selector);
    return matcher.matches(pod.metadata.labels) || (old !== undefined && matcher.matches(old.metadata.labels));
  };
  const [first, ...more] = budgets.filter(selects);
  if (!first) return stale;
  if (more.length > 0) {
    const { namespace, name } = pod.metadata;
    // Each is counted; evictions are refused.
    const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${first.metadata.name}" arbitrarily.`;
    io.events.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', message);
  }
  return [first, ...more].map(keyOf).concat(stale);
}

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const budget = io.client.informer(PodDisruptionBudget).get(key);
  if (!budget) return;
  try {
    return await count(budget, io);
  } catch (error) {
    if (isConflict(error)) throw error;
    io.log.warn({ error }, 'budget not counted: no disruption is allowed');
    await allowNone(budget, messageOf(error), io);
  }
}

async function count(budget: PodDisruptionBudget, io: ControllerIO): Promise<Outcome> {
  const matcher = matcherOf(budget.spec?.selector);
  const pods = io.client
    .informer(Pod)
    .list(budget.metadata.namespace)
    .filter((pod) => matcher.matches(pod.metadata.labels));
  if (pods.length === 0) io.events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
  const expected = await expectedPods(budget, pods, io).catch((error: unknown) => {
    const message = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
    io.events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', message);
    throw error;
  });
  const nowMs = io.clock.now();
  const { disruptedPods, againMs, overdue } = stillDisrupted(budget, pods, nowMs);
  for (const pod of overdue) {
    io.events.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`);
  }
  const status = nextBudgetStatus(budget, { pods, disruptedPods, ...expected, nowMs });
  if (!equalSemantically(status, budget.status))
    await io.client.update(PodDisruptionBudget, { ...budget, status }, { subresource: 'status' });
  return againMs === undefined ? undefined : { requeueAfterMs: againMs };
}

export interface Counted {
  readonly pods: readonly Pod[];
  readonly disruptedPods: Readonly<Record<string, string>>;
  readonly expectedPods: number;
  readonly desiredHealthy: number;
  readonly nowMs: number;
}

export function nextBudgetStatus(budget: PodDisruptionBudget, counted: Counted): PodDisruptionBudgetStatus {
  const { pods, disruptedPods, expectedPods, desiredHealthy, nowMs } = counted;
  const isHealthy = (pod: Pod): boolean => !pod.metadata.deletionTimestamp && !own(disruptedPods, pod.metadata.name) && isPodReady(pod);
  const currentHealthy = pods.filter(isHealthy).length;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const { generation } = budget.metadata;
  const isAllowed = disruptionsAllowed > 0;
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: isAllowed ? 'True' : 'False',
    reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime: formatTime(nowMs),
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(budget.status?.conditions, condition),
  };
}

/** Evictions that were begun and not yet followed by a deletion. */
function stillDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], nowMs: number) {
  const disruptedPods: Record<string, string> = {};
  const overdue: Pod[] = [];
  let againMs: number | undefined;
  for (const pod of pods) {
    const time = own(budget.status?.disruptedPods, pod.metadata.name);
    if (!time || pod.metadata.deletionTimestamp) continue;
    const leftMs = (parseTime(time) ?? 0) + evictionMsMax - nowMs;
    if (leftMs < 0) overdue.push(pod);
    else {
      put(disruptedPods, pod.metadata.name, time);
      againMs = Math.min(againMs ?? leftMs, leftMs) || 1;
    }
  }
  return { disruptedPods, overdue, againMs };
}

async function expectedPods(budget: PodDisruptionBudget, pods: readonly Pod[], io: ControllerIO) {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = await expectedScale(budget, pods, io);
    return { expectedPods: expected, desiredHealthy: Math.max(0, expected - scaleIntOrPercent(maxUnavailable, expected, 'up')) };
  }
  if (typeof minAvailable === 'string') {
    const expected = await expectedScale(budget, pods, io);
    return { expectedPods: expected, desiredHealthy: scaleIntOrPercent(minAvailable, expected, 'up') };
  }
  return { expectedPods: pods.length, desiredHealthy: minAvailable ?? 0 };
}

/** How many pods the controllers of these pods want, all together. */
async function expectedScale(budget: PodDisruptionBudget, pods: readonly Pod[], io: ControllerIO): Promise<number> {
  const scales = new Map<string, number>();
  const asked = new Set<string>();
  let unmanaged = 0;
  for (const pod of pods) {
    const controller = controllerOf(pod);
    if (!controller) unmanaged++;
    if (!controller || asked.has(controller.uid)) continue;
    asked.add(controller.uid);
    const { uid, replicas } = await scaleOf(controller, pod, io);
    scales.set(uid, replicas);
  }
  if (unmanaged > 0) {
    const message =
      `Pods selected by this PodDisruptionBudget (selector: ${String(matcherOf(budget.spec?.selector))}) were found to be unmanaged. ` +
      'As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these ' +
      'pods please set ".spec.minAvailable" field of the PDB to an integer value.';
    io.events.event(budget, 'Warning', 'UnmanagedPods', message);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

async function scaleOf(reference: OwnerReference, pod: Pod, io: ControllerIO): Promise<{ uid: string; replicas: number }> {
  const { namespace } = pod.metadata;
  const key = `${namespace}/${reference.name}`;
  const group = groupOf(reference.apiVersion);
  if (reference.kind === 'ReplicaSet' && group === 'apps') {
    const set = io.client.informer(ReplicaSet).get(key);
    const owner = set && controllerOf(set);
    const deployment = owner?.kind === 'Deployment' ? io.client.informer(Deployment).get(`${namespace}/${owner.name}`) : undefined;
    if (deployment) return { uid: deployment.metadata.uid, replicas: deployment.spec.replicas ?? 1 };
    if (set) return { uid: set.metadata.uid, replicas: set.spec.replicas ?? 1 };
  }
  const set = reference.kind === 'StatefulSet' && group === 'apps' ? io.client.informer(StatefulSet).get(key) : undefined;
  const found = set ?? (reference.kind === 'ReplicationController' ? io.client.informer(ReplicationController).get(key) : undefined);
  if (found) return { uid: found.metadata.uid, replicas: found.spec.replicas ?? 1 };
  return readScale(reference, pod, io);
}

/** Of other kinds: by their scale subresource. */
async function readScale(
  { apiVersion, kind, name, uid }: OwnerReference,
  pod: Pod,
  io: ControllerIO,
): Promise<{ uid: string; replicas: number }> {
  const resource = resourceOf(await discoverResources(io.client), { apiVersion, kind });
  if (!resource) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
  const at = { namespace: pod.metadata.namespace, name };
  const scale: KubeObject & { readonly spec?: { readonly replicas?: number } } = await io.client
    .get(resource, at, { subresource: 'scale' })
    .catch((error: unknown) => {
      throw new Error(`${resource.resource}.${resource.group} does not implement the scale subresource`, { cause: error });
    });
  return { uid, replicas: scale.spec?.replicas ?? 0 };
}

async function allowNone(budget: PodDisruptionBudget, message: string, io: ControllerIO): Promise<void> {
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    lastTransitionTime: formatTime(io.clock.now()),
  };
  const status = { ...budget.status, disruptionsAllowed: 0, conditions: withCondition(budget.status?.conditions, condition) };
  if (!equalSemantically(status, budget.status))
    await io.client.update(PodDisruptionBudget, { ...budget, status }, { subresource: 'status' });
}

/** The pod was to be disrupted, and is still here. The kubelet's own word is not doubted. */
async function resetStale(key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const pod = io.client.informer(Pod).get(key);
  const condition = findCondition(pod?.status?.conditions, 'DisruptionTarget');
  if (!pod || pod.metadata.deletionTimestamp || isPodTerminal(pod)) return;
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return;
  const leftMs = (parseTime(condition.lastTransitionTime ?? '') ?? 0) + staleMs - io.clock.now();
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const reset = { type: 'DisruptionTarget', status: 'False', reason: null, message: null, lastTransitionTime: formatTime(io.clock.now()) };
  const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [reset] } };
  await io.client.patch(Pod, parseKey(key), { type: 'strategic', body }, { subresource: 'status' });
}
