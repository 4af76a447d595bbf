/**
 * Deployments: rolls a template out over ReplicaSets, one per revision, and keeps its history.
 *
 * Guarantees: the bounds of maxSurge and maxUnavailable hold at every moment (deployment-rollout.ts); one ReplicaSet
 * per template, however often a round is repeated; status and conditions as `kubectl rollout` expects them.
 * What it does not do: the rollback annotation of apps/v1beta1 (kubectl undoes by itself).
 * Upstream: pkg/controller/deployment.
 */
import { Deployment, Pod, ReplicaSet } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { New, ObjectKey } from '../../../api/meta/object.ts';
import { isAlreadyExists, isNotFound, messageOf } from '../../../api/meta/status-error.ts';
import { isPodTerminal } from '../../../api/predicates/pod-state.ts';
import { type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, controllerOf, isControlledBy, keysOfOwners, matcherOf, orphansIn } from '../owner.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { revisionAnnotation, sameTemplate } from './deployment-revision.ts';
import { type PlannedSet, planRollout, type RolloutPlan, rolloutLimitsOf } from './deployment-rollout.ts';
import { condition, hasDeadline, nextDeploymentStatus, progressCheckMs, set } from './deployment-status.ts';

const matcher = (deployment: Deployment) => matcherOf(deployment.spec.selector);

export const deploymentController = defineController({
  name: 'deployment-controller',
  watches: [
    watched(Deployment),
    watched(ReplicaSet, keysOfOwners(Deployment, matcher)),
    watched(Pod, (pod, _old, io) => keysOfRecreated(pod, io)),
  ],
  concurrency: 5,
  reconcile,
});

/** Pods matter to Deployments only when the last old one is gone and Recreate may go on. */
function keysOfRecreated(pod: Pod, io: ControllerIO): readonly ObjectKey[] {
  const { namespace } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet' || io.client.informer(Pod).get(`${namespace}/${pod.metadata.name}`)) return [];
  const controller = io.client.informer(ReplicaSet).get(`${namespace}/${owner.name}`);
  const name = controller && controllerOf(controller)?.name;
  const deployment = name ? io.client.informer(Deployment).get(`${namespace}/${name}`) : undefined;
  return deployment?.spec.strategy?.type === 'Recreate' ? [`${namespace}/${deployment.metadata.name}`] : [];
}

async function reconcile(key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const deployment = io.client.informer(Deployment).get(key);
  if (!deployment) return;
  if (matcher(deployment).isEverything) return refuseSelectingAll(deployment, io);
  const sets = await ownSets(deployment, io);
  const plan = planRollout(deployment, sets, oldPodsRunning(deployment, sets, io));
  const created = plan.create && (await createSet(deployment, plan.create, io));
  for (const change of plan.changes) await resize(deployment, change, change === plan.newest, io);
  for (const old of plan.deletions) await forget(old, io);
  return writeStatus(deployment, plan, created, io);
}

async function ownSets(deployment: Deployment, io: ControllerIO): Promise<readonly ReplicaSet[]> {
  const informer = io.client.informer(ReplicaSet);
  const selector = matcher(deployment);
  const candidates = [...controlledBy(informer, deployment), ...orphansIn(informer, deployment.metadata.namespace)];
  const matches = (each: ReplicaSet): boolean => selector.matches(each.metadata.labels);
  return adoptAndRelease(io.client, { owner: deployment, ownerKind: Deployment, kind: ReplicaSet, matches }, candidates);
}

/** Whether a pod of an earlier template has not ended yet. Only Recreate asks. */
function oldPodsRunning(deployment: Deployment, sets: readonly ReplicaSet[], io: ControllerIO): boolean {
  if (deployment.spec.strategy?.type !== 'Recreate') return false;
  const pods = io.client.informer(Pod);
  const old = sets.filter((each) => !sameTemplate(each.spec.template, deployment.spec.template));
  return old.some((each) => controlledBy(pods, each).some((pod) => !isPodTerminal(pod)));
}

async function createSet(deployment: Deployment, made: New<ReplicaSet>, io: ControllerIO): Promise<ReplicaSet> {
  try {
    const revision = made.metadata.annotations?.[revisionAnnotation];
    const created = await io.client.create(ReplicaSet, made, { why: () => `new pod template, revision ${revision}` });
    const size = created.spec.replicas ?? 0;
    if (size > 0) {
      io.events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${created.metadata.name} from 0 to ${size}`);
    }
    return created;
  } catch (error) {
    if (isNamespaceTerminating(error)) throw error;
    if (isAlreadyExists(error)) await resolveCollision(deployment, made, io);
    else await reportFailedCreate(deployment, made, error, io);
    throw error;
  }
}

/** Another ReplicaSet has the name: ours, seen late, or one whose template has the same hash. */
async function resolveCollision(deployment: Deployment, made: New<ReplicaSet>, io: ControllerIO): Promise<void> {
  const { namespace } = deployment.metadata;
  const there = await io.client.get(ReplicaSet, { namespace, name: made.metadata.name ?? '' });
  if (isControlledBy(there, deployment) && sameTemplate(there.spec.template, deployment.spec.template)) return;
  const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
  await io.client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
}

async function reportFailedCreate(deployment: Deployment, made: New<ReplicaSet>, error: unknown, io: ControllerIO): Promise<void> {
  const message = `Failed to create new replica set "${made.metadata.name}": ${messageOf(error)}`;
  io.events.event(deployment, 'Warning', 'ReplicaSetCreateError', message);
  if (!hasDeadline(deployment)) return;
  const failed = condition('Progressing', 'False', 'ReplicaSetCreateError', message, io.clock.now());
  const status = { ...deployment.status, conditions: set(deployment.status?.conditions ?? [], failed) };
  await io.client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
}

async function resize(
  deployment: Deployment,
  change: PlannedSet & { readonly set: ReplicaSet },
  isNewest: boolean,
  io: ControllerIO,
): Promise<void> {
  const { set: current, replicas, annotations } = change;
  const { minReadySeconds = 0 } = deployment.spec;
  const metadata = { ...current.metadata, annotations };
  const spec = { ...current.spec, replicas, ...(isNewest && { minReadySeconds }) };
  await io.client.update(ReplicaSet, { ...current, metadata, spec });
  const before = current.spec.replicas ?? 1;
  if (before === replicas) return;
  const direction = before < replicas ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${current.metadata.name} from ${before} to ${replicas}`;
  io.events.event(deployment, 'Normal', 'ScalingReplicaSet', message);
}

async function forget(old: ReplicaSet, io: ControllerIO): Promise<void> {
  const { namespace, name, uid } = old.metadata;
  try {
    const why = (): string => 'older than the history that is kept';
    await io.client.delete(ReplicaSet, { namespace, name }, { preconditions: { uid }, propagationPolicy: 'Background', why });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function writeStatus(deployment: Deployment, plan: RolloutPlan, created: ReplicaSet | undefined, io: ControllerIO): Promise<Outcome> {
  const nowMs = io.clock.now();
  const newestName = created?.metadata.name ?? plan.newest?.set?.metadata.name;
  const status = nextDeploymentStatus(deployment, {
    sets: plan.sets,
    newest: plan.newest,
    newestName,
    created: created !== undefined,
    isRollout: plan.isRollout,
    unavailableMax: rolloutLimitsOf(deployment).unavailable,
    nowMs,
  });
  const annotations = deployment.metadata.annotations ?? {};
  const isNumbered = plan.revision === undefined || annotations[revisionAnnotation] === plan.revision;
  if (!isNumbered || !equalJson(status, deployment.status)) {
    const metadata = isNumbered
      ? deployment.metadata
      : { ...deployment.metadata, annotations: { ...annotations, ...(plan.revision && { [revisionAnnotation]: plan.revision }) } };
    await io.client.update(Deployment, { ...deployment, metadata, status }, { subresource: 'status' });
  }
  const checkMs = plan.isRollout ? progressCheckMs(deployment, status, nowMs) : undefined;
  return checkMs === undefined ? undefined : { requeueAfterMs: checkMs };
}

async function refuseSelectingAll(deployment: Deployment, io: ControllerIO): Promise<void> {
  const message = 'This deployment is selecting all pods. A non-empty selector is required.';
  io.events.event(deployment, 'Warning', 'SelectingAll', message);
  const { generation = 0 } = deployment.metadata;
  if ((deployment.status?.observedGeneration ?? 0) >= generation) return;
  const status = { ...deployment.status, observedGeneration: generation };
  await io.client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
}
