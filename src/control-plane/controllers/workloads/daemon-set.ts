/**
 * DaemonSets: one pod on every node that fits.
 *
 * Guarantees: never two pods of a DaemonSet on a node, except for a surge; pods are pinned to their node by affinity,
 * and placed there by the scheduler; a failed pod is replaced with growing delays; replaced templates are kept as
 * ControllerRevisions. Upstream: pkg/controller/daemon.
 */
import { ControllerRevision, DaemonSet, Node, Pod } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { nextAvailabilityMs } from '../../../api/predicates/pod-state.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { RecentMap } from '../../../client/recent-map.ts';
import { adoptAndRelease } from '../adoption.ts';
import { controlledBy, controllerReference, keysOfOwners, matcherOf, orphansIn } from '../owner.ts';
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate } from '../pods/pod-control.ts';
import { settleAll, slowStart } from '../slow-start.ts';
import { nodeJudge, pinToNode } from './daemon-nodes.ts';
import { type DaemonPlan, planDaemons } from './daemon-set-plan.ts';
import { keepHistory, revisionHashLabel, trimHistory } from './revision-history.ts';

const burst = 250;
const concurrency = 2;
const failureBackoff = { firstMs: 1000, maxMs: 15 * 60_000 };
const rememberedFailuresMax = 10_000;
const generationAnnotation = 'deprecated.daemonset.template.generation';
const generationLabel = 'pod-template-generation';

const matcher = (daemonSet: DaemonSet) => matcherOf(daemonSet.spec.selector);

type Failures = RecentMap<string, { readonly atMs: number; readonly delayMs: number }>;

export function daemonSetController(): Controller {
  const failures: Failures = new RecentMap(rememberedFailuresMax);
  return defineController({
    name: 'daemonset-controller',
    serviceAccount: 'daemon-set-controller',
    watches: [
      watched(DaemonSet),
      watched(Pod, keysOfOwners(DaemonSet, matcher)),
      watched(ControllerRevision, keysOfOwners(DaemonSet, matcher)),
      watched(Node, keysOfNode),
    ],
    concurrency,
    reconcile: (key, io) => reconcile(key, failures, io),
  });
}

/** A node concerns the DaemonSets that want something else of it than before. */
function keysOfNode(node: Node, old: Node | undefined, io: ControllerIO): readonly ObjectKey[] {
  const isSame = old && equalJson(old.metadata.labels, node.metadata.labels) && equalJson(old.spec?.taints, node.spec?.taints);
  if (isSame) return [];
  const concerns = (daemonSet: DaemonSet): boolean => {
    if (!old) return true;
    const judge = nodeJudge(daemonSet);
    return !equalJson(judge(old), judge(node));
  };
  return io.client.informer(DaemonSet).list().filter(concerns).map(keyOf);
}

async function reconcile(key: ObjectKey, failures: Failures, io: ControllerIO): Promise<Outcome> {
  const daemonSet = io.client.informer(DaemonSet).get(key);
  if (!daemonSet) return;
  const selector = matcher(daemonSet);
  if (selector.isEverything) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    io.events.event(daemonSet, 'Warning', 'SelectingAll', message);
    return;
  }
  if (daemonSet.metadata.deletionTimestamp) return;
  const { collisionCount } = daemonSet.status;
  const hashLabel = revisionHashLabel;
  const history = await keepHistory({ kind: DaemonSet, owner: daemonSet, matcher: matcher(daemonSet), collisionCount, hashLabel }, io);
  const hash = history.current.metadata.labels?.[revisionHashLabel] ?? '';
  const informer = io.client.informer(Pod);
  const candidates = [...controlledBy(informer, daemonSet), ...orphansIn(informer, daemonSet.metadata.namespace)];
  const matches = (pod: Pod): boolean => selector.matches(pod.metadata.labels);
  const pods = await adoptAndRelease(io.client, { owner: daemonSet, ownerKind: DaemonSet, kind: Pod, matches }, candidates);
  const nowMs = io.clock.now();
  const backoffMs = (node: string): number => nextBackoffMs(failures, `${daemonSet.metadata.uid}/${node}`, nowMs);
  const { plan, status } = planDaemons({ daemonSet, nodes: io.client.informer(Node).list(), pods, hash, nowMs, backoffMs });

  const failure = await act(daemonSet, plan, hash, io).then(
    () => undefined,
    (error: unknown) => error,
  );
  const liveHashes = new Set(pods.map(({ metadata }) => metadata.labels?.[revisionHashLabel]));
  const isLive = ({ metadata }: ControllerRevision): boolean => liveHashes.has(metadata.labels?.[revisionHashLabel]);
  if (!failure) await trimHistory(history.old, daemonSet.spec.revisionHistoryLimit ?? 10, isLive, io);
  if (!equalJson(status, daemonSet.status)) await io.client.update(DaemonSet, { ...daemonSet, status }, { subresource: 'status' });
  if (failure) throw failure;
  const availableMs = nextAvailabilityMs(pods, daemonSet.spec.minReadySeconds ?? 0, nowMs) ?? Number.POSITIVE_INFINITY;
  const againMs = Math.min(availableMs, plan.againMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(againMs) ? { requeueAfterMs: againMs } : undefined;
}

/** 0: go ahead, and the next time only after a doubled delay. */
function nextBackoffMs(failures: Failures, key: string, nowMs: number): number {
  const last = failures.get(key);
  const isForgotten = last && nowMs - last.atMs > 2 * failureBackoff.maxMs;
  if (last && !isForgotten && nowMs - last.atMs < last.delayMs) return last.atMs + last.delayMs - nowMs;
  const delayMs = last && !isForgotten ? Math.min(last.delayMs * 2, failureBackoff.maxMs) : failureBackoff.firstMs;
  failures.set(key, { atMs: nowMs, delayMs });
  return 0;
}

async function act(daemonSet: DaemonSet, plan: DaemonPlan, hash: string, io: ControllerIO): Promise<void> {
  for (const [type, reason, message] of plan.events) io.events.event(daemonSet, type, reason, message);
  const { template } = daemonSet.spec;
  const generation = daemonSet.metadata.annotations?.[generationAnnotation];
  const labels = { ...template.metadata?.labels, ...(generation && { [generationLabel]: generation }), [revisionHashLabel]: hash };
  const pod = podFromTemplate(
    { ...template, metadata: { ...template.metadata, labels } },
    daemonSet,
    controllerReference(DaemonSet, daemonSet),
  );
  await slowStart(Math.min(plan.create.length, burst), (i) =>
    createPod(io, daemonSet, { ...pod, spec: pinToNode(pod.spec, plan.create[i] ?? '') }, () => `for node ${plan.create[i]}`).catch(
      (error: unknown) => {
        if (!isNamespaceTerminating(error)) throw error;
      },
    ),
  );
  await settleAll(plan.remove.slice(0, burst).map((each) => deletePod(io, daemonSet, each)));
}
