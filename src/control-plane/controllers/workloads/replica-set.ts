/**
 * ReplicaSets: as many active pods of the template as asked for; and the same for ReplicationControllers, which are
 * ReplicaSets under their old name (replication-manager.ts).
 *
 * Guarantees: never more creates than are missing (a reconcile sees what the one before made), at most `burst` creates
 * or deletes per round, a slow start so that a quota is not run into a thousand times; orphans that match are adopted.
 * Upstream: pkg/controller/replicaset.
 */
import type { PodTemplateSpec } from '../../../api/generated/core-v1.ts';
import { Pod, ReplicaSet } from '../../../api/generated/kinds.ts';
import { findCondition, withoutCondition } from '../../../api/meta/conditions.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import type { KindRef, KubeObject, ObjectKey } from '../../../api/meta/object.ts';
import { type LabelMatcher, labelMatcherOfMap } from '../../../api/meta/selectors.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { formatTime } from '../../../api/meta/time.ts';
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  isPodTerminating,
  nextAvailabilityMs,
  readySinceMs,
} from '../../../api/predicates/pod-state.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, controllerOf, controllerReference, keysOfOwners, matcherOf, orphansIn, sameLabels } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate } from '../pods/pod-control.ts';
import { planPodDeletion } from '../pods/pod-deletion-order.ts';
import { settleAll, slowStart } from '../slow-start.ts';

const burst = 500;
const concurrency = 5;

export interface ReplicasStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTransitionTime?: string;
  }[];
}

export interface ReplicasOwner extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string };
  readonly spec: { readonly replicas?: number; readonly minReadySeconds?: number; readonly template?: PodTemplateSpec };
  readonly status: ReplicasStatus;
}

export interface ReplicasKind<T extends ReplicasOwner> {
  readonly name: string;
  readonly serviceAccount: string;
  readonly kind: KindRef<T>;
  matcher(owner: T): LabelMatcher;
  /** whether status tells how many pods are terminating */
  readonly countsTerminating: boolean;
}

export function replicasController<T extends ReplicasOwner>(of: ReplicasKind<T>): Controller {
  const keysOfSets = keysOfOwners(of.kind, of.matcher);
  return defineController({
    name: of.name,
    serviceAccount: of.serviceAccount,
    watches: [watched(of.kind), watched(Pod, (pod, old, io) => (old && countsSame(pod, old) ? [] : keysOfSets(pod, old, io)))],
    concurrency,
    reconcile: (key, io) => reconcile(of, key, io),
  });
}

export const replicaSetController = replicasController({
  name: 'replicaset-controller',
  serviceAccount: 'replicaset-controller',
  kind: ReplicaSet,
  matcher: (set) => matcherOf(set.spec.selector),
  countsTerminating: true,
});

/** Most changes of a pod (that it was scheduled, say) are nothing to its set. */
function countsSame(pod: Pod, old: Pod): boolean {
  return (
    isPodReady(pod) === isPodReady(old) &&
    readySinceMs(pod) === readySinceMs(old) &&
    isPodTerminal(pod) === isPodTerminal(old) &&
    pod.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
    controllerOf(pod)?.uid === controllerOf(old)?.uid &&
    sameLabels(pod, old)
  );
}

async function reconcile<T extends ReplicasOwner>(of: ReplicasKind<T>, key: ObjectKey, io: ControllerIO): Promise<Outcome> {
  const owner = io.client.informer(of.kind).get(key);
  if (!owner) return;
  const pods = io.client.informer(Pod);
  const matcher = of.matcher(owner);
  const matches = (pod: Pod): boolean => matcher.matches(pod.metadata.labels);
  const owned = controlledBy(pods, owner);
  const candidates = [...owned, ...orphansIn(pods, owner.metadata.namespace)].filter(isPodActive);
  const active = await adoptAndRelease(io.client, { owner, ownerKind: of.kind, kind: Pod, matches }, candidates);
  const terminating = owned.filter((pod) => isPodTerminating(pod) && matches(pod));

  let failure: unknown;
  if (!owner.metadata.deletionTimestamp)
    failure = await manage(of, owner, active, io).then(
      () => undefined,
      (error: unknown) => error,
    );
  const nowMs = io.clock.now();
  const status = nextReplicasStatus(owner, { active, terminating: of.countsTerminating ? terminating : undefined, failure, nowMs });
  if (!equalJson(status, owner.status)) await io.client.update(of.kind, { ...owner, status }, { subresource: 'status' });
  if (failure) throw failure;
  const inMs = nextAvailabilityMs(active, owner.spec.minReadySeconds ?? 0, nowMs);
  return inMs === undefined ? undefined : { requeueAfterMs: inMs };
}

async function manage<T extends ReplicasOwner>(of: ReplicasKind<T>, owner: T, active: readonly Pod[], io: ControllerIO): Promise<void> {
  const wanted = owner.spec.replicas ?? 1;
  const surplus = active.length - wanted;
  const why = (): string => `wants ${wanted}, has ${active.length}`;
  if (surplus < 0) {
    const pod = podFromTemplate(owner.spec.template ?? {}, owner, controllerReference(of.kind, owner));
    await slowStart(Math.min(-surplus, burst), () =>
      createPod(io, owner, pod, why).catch((error: unknown) => {
        if (!isNamespaceTerminating(error)) throw error;
      }),
    );
  } else if (surplus > 0) {
    const doomed = planPodDeletion(active, relatedPods(of, owner, io), Math.min(surplus, burst), io.clock.now());
    await settleAll(doomed.map((pod) => deletePod(io, owner, pod, why)));
  }
}

/** The pods of all sets that have the same controller: of a Deployment's other revisions. */
function relatedPods<T extends ReplicasOwner>(of: ReplicasKind<T>, owner: T, io: ControllerIO): readonly Pod[] {
  const pods = io.client.informer(Pod);
  const controller = controllerOf(owner);
  const sets = controller ? controlledBy(io.client.informer(of.kind), { ...owner, metadata: { uid: controller.uid } }) : [owner];
  return sets.flatMap((set) => controlledBy(pods, set));
}

/** What the owner's status should say now. */
export function nextReplicasStatus(
  owner: ReplicasOwner,
  seen: {
    readonly active: readonly Pod[];
    readonly terminating: readonly Pod[] | undefined;
    readonly failure: unknown;
    readonly nowMs: number;
  },
): ReplicasStatus {
  const { active, terminating, failure, nowMs } = seen;
  const labels = labelMatcherOfMap(owner.spec.template?.metadata?.labels);
  const minReadySeconds = owner.spec.minReadySeconds ?? 0;
  const count = (test: (pod: Pod) => boolean): number => active.reduce((sum, pod) => sum + (test(pod) ? 1 : 0), 0);
  const fullyLabeledReplicas = count((pod) => labels.matches(pod.metadata.labels));
  const readyReplicas = count(isPodReady);
  const availableReplicas = minReadySeconds ? count((pod) => isPodAvailable(pod, minReadySeconds, nowMs)) : readyReplicas;
  const conditions = nextConditions(owner, active.length, failure, nowMs);
  return {
    replicas: active.length,
    // A count of 0 is left out, as the API has it.
    ...(fullyLabeledReplicas && { fullyLabeledReplicas }),
    ...(readyReplicas && { readyReplicas }),
    ...(availableReplicas && { availableReplicas }),
    ...(terminating && { terminatingReplicas: terminating.length }),
    ...(owner.metadata.generation !== undefined && { observedGeneration: owner.metadata.generation }),
    ...(conditions.length > 0 && { conditions }),
  };
}

function nextConditions(owner: ReplicasOwner, active: number, failure: unknown, nowMs: number): NonNullable<ReplicasStatus['conditions']> {
  const before = owner.status.conditions ?? [];
  if (!failure) return withoutCondition(before, 'ReplicaFailure');
  if (findCondition(before, 'ReplicaFailure')) return before;
  const reason = active < (owner.spec.replicas ?? 1) ? 'FailedCreate' : 'FailedDelete';
  const lastTransitionTime = formatTime(nowMs);
  return [...before, { type: 'ReplicaFailure', status: 'True', reason, message: messageOf(failure), lastTransitionTime }];
}
