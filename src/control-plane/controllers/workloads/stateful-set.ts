/**
 * StatefulSets: pods with a lasting identity and storage.
 *
 * Guarantees: never two pods of one ordinal; claims are made before their pod, and kept when it goes unless the
 * retention policy says otherwise; steps in the order of stateful-set-plan.ts.
 * What it does not do: maxUnavailable above 1 in updates (beta, off by default).
 * Upstream: pkg/controller/statefulset.
 */
import type { PodTemplateSpec } from '../../../api/generated/core-v1.ts';
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { ObjectKey } from '../../../api/meta/object.ts';
import { isAlreadyExists, isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { nextAvailabilityMs } from '../../../api/predicates/pod-state.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, keysOfOwners, matcherOf, orphansIn } from '../owner.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { settleAll, slowStart } from '../slow-start.ts';
import { keepHistory, revisionHashLabel, trimHistory } from './revision-history.ts';
import { makeStatefulPod, nextClaimOwners, ordinalOf, volumeClaimsOf } from './stateful-identity.ts';
import { isCondemned, planStatefulSet, type StatefulPlan } from './stateful-set-plan.ts';

const hashLabel = 'controller.kubernetes.io/hash';
const matcher = (set: StatefulSet) => matcherOf(set.spec.selector);

export const statefulSetController = defineController({
  name: 'statefulset-controller',
  watches: [
    watched(StatefulSet),
    watched(Pod, keysOfOwners(StatefulSet, matcher)),
    watched(ControllerRevision, keysOfOwners(StatefulSet, matcher)),
    watched(PersistentVolumeClaim, () => []),
  ],
  concurrency: 5,
  reconcile,
});

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const set = io.client.informer(StatefulSet).get(key);
  if (!set) return;
  const { name, namespace } = set.metadata;
  const selector = matcher(set);
  const informer = io.client.informer(Pod);
  const matches = (pod: Pod): boolean => selector.matches(pod.metadata.labels) && ordinalOf(pod, name) !== undefined;
  const candidates = [...controlledBy(informer, set), ...orphansIn(informer, namespace)];
  const pods = await adoptAndRelease(io.client, { owner: set, ownerKind: StatefulSet, kind: Pod, matches }, candidates);
  const history = await keepHistory(
    { kind: StatefulSet, owner: set, matcher: matcher(set), collisionCount: set.status?.collisionCount ?? 0, hashLabel },
    io,
  );
  const update = history.current;
  const current = history.old.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  const nowMs = io.clock.now();
  const names = { currentRevision: current.metadata.name, updateRevision: update.metadata.name };
  const plan = planStatefulSet({ set, pods, ...names, nowMs });

  const failure = await act(set, plan, pods, { current, update }, io).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!equalJson(plan.status, set.status)) await io.client.update(StatefulSet, { ...set, status: plan.status }, { subresource: 'status' });
  const live = new Set([...pods.map(({ metadata }) => metadata.labels?.[revisionHashLabel]), ...Object.values(names)]);
  const isLive = ({ metadata }: ControllerRevision): boolean => live.has(metadata.name);
  await trimHistory(
    history.old.filter((each) => !isLive(each)),
    set.spec.revisionHistoryLimit ?? 10,
    isLive,
    io,
  );
  if (failure) throw failure;
  const availableMs = nextAvailabilityMs(pods, set.spec.minReadySeconds ?? 0, nowMs);
  return availableMs === undefined ? undefined : { requeueAfterMs: availableMs };
}

interface Revisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data as { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } } | undefined;
  const { $patch: _, ...template } = data?.spec?.template ?? {};
  return template;
}

async function act(set: StatefulSet, plan: StatefulPlan, pods: readonly Pod[], revisions: Revisions, io: ControllerIO): Promise<void> {
  await keepClaims(set, pods, io);
  await slowStart(plan.create.length, async (i) => {
    const step = plan.create[i];
    if (step) await createStatefulPod(set, step.ordinal, revisions[step.revision], io);
  });
  await settleAll(plan.remove.map((pod) => removeStatefulPod(set, pod, io)));
}

async function createStatefulPod(set: StatefulSet, ordinal: number, revision: ControllerRevision, io: ControllerIO): Promise<void> {
  const pod = makeStatefulPod(set, ordinal, templateOf(revision), revision.metadata.name);
  try {
    await createClaims(set, ordinal, io);
    await io.client.create(Pod, pod, { why: () => `number ${ordinal} of ${set.spec.replicas ?? 1}, counted from 0` });
    tell(set, 'Create', `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`, undefined, io);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    if (!isAlreadyExists(error)) tell(set, 'Create', `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`, error, io);
    throw error;
  }
}

async function createClaims(set: StatefulSet, ordinal: number, io: ControllerIO): Promise<void> {
  for (const made of volumeClaimsOf(set, ordinal)) {
    const { namespace, name } = made.metadata;
    const there = io.client.informer(PersistentVolumeClaim).get(`${namespace}/${name}`);
    if (there?.metadata.deletionTimestamp) throw new Error(`pvc ${name} is being deleted`);
    if (there) continue;
    const what = `Claim ${name} Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`;
    try {
      await io.client.create(PersistentVolumeClaim, made);
      tell(set, 'Create', what, undefined, io, 'success');
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      tell(set, 'Create', what, error, io);
      throw error;
    }
  }
}

/** Pending pods get the claims that are missing, all claims the owners that the retention policy asks for. */
async function keepClaims(set: StatefulSet, pods: readonly Pod[], io: ControllerIO): Promise<void> {
  if (!set.spec.volumeClaimTemplates?.length || set.metadata.deletionTimestamp) return;
  for (const pod of pods) {
    const ordinal = ordinalOf(pod, set.metadata.name) ?? 0;
    if (pod.status?.phase === 'Pending') await createClaims(set, ordinal, io);
    for (const { metadata } of volumeClaimsOf(set, ordinal)) {
      const there = io.client.informer(PersistentVolumeClaim).get(`${metadata.namespace}/${metadata.name}`);
      const ownerReferences = there && nextClaimOwners(there, set, pod, isCondemned(set, ordinal));
      if (!ownerReferences) continue;
      await io.client.update(PersistentVolumeClaim, { ...there, metadata: { ...there.metadata, ownerReferences } });
    }
  }
}

async function removeStatefulPod(set: StatefulSet, pod: Pod, io: ControllerIO): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const what = `Pod ${name} in StatefulSet ${set.metadata.name}`;
  try {
    await io.client.delete(Pod, { namespace, name }, { preconditions: { uid } });
    tell(set, 'Delete', what, undefined, io);
  } catch (error) {
    if (isNotFound(error)) return;
    tell(set, 'Delete', what, error, io);
    throw error;
  }
}

function tell(set: StatefulSet, verb: 'Create' | 'Delete', what: string, error: unknown, io: ControllerIO, success = 'successful'): void {
  if (error) io.events.event(set, 'Warning', `Failed${verb}`, `${verb} ${what} failed error: ${messageOf(error)}`);
  else io.events.event(set, 'Normal', `Successful${verb}`, `${verb} ${what} ${success}`);
}
