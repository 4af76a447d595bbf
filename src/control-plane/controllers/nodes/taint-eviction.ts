/**
 * Evicts pods from nodes with NoExecute taints: at once when they do not tolerate one, or when the time is over for
 * which they do. Upstream: pkg/controller/tainteviction.
 */
import type { Taint, Toleration } from '../../../api/generated/core-v1.ts';
import { Node, Pod } from '../../../api/generated/kinds.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { tolerates } from '../../../api/predicates/taints.ts';
import { type Controller, type ControllerIO, defineController, type Outcome, watched } from '../../../client/controllers/controller.ts';
import { disruptionCondition, podsOnNode, removePod } from './pods-on-node.ts';

const concurrency = 8;

export function taintEvictionController(): Controller {
  /** pods that wait for their eviction */
  const waiting = new Set<ObjectKey>();
  return defineController({
    name: 'taint-eviction-controller',
    serviceAccount: 'node-controller',
    watches: [watched(Pod, keysOfPod), watched(Node, keysOfNode)],
    concurrency,
    reconcile: (key, io) => reconcile(key, waiting, io),
  });
}

const executeTaintsOf = (node: Node | undefined): readonly Taint[] =>
  node?.spec?.taints?.filter(({ effect }) => effect === 'NoExecute') ?? [];

function keysOfPod(pod: Pod, old: Pod | undefined): readonly ObjectKey[] {
  const isSame = old && old.spec.nodeName === pod.spec.nodeName && equalJson(old.spec.tolerations, pod.spec.tolerations);
  return pod.spec.nodeName && !isSame ? [keyOf(pod)] : [];
}

function keysOfNode(node: Node, old: Node | undefined, io: ControllerIO): readonly ObjectKey[] {
  if (equalJson(executeTaintsOf(node), executeTaintsOf(old))) return [];
  return podsOnNode(node.metadata.name, io).map(keyOf);
}

async function reconcile(key: ObjectKey, waiting: Set<ObjectKey>, io: ControllerIO): Promise<Outcome> {
  const pod = io.client.informer(Pod).get(key);
  const node = io.client.informer(Node).get(pod?.spec.nodeName ?? '');
  if (!pod || pod.metadata.deletionTimestamp) {
    waiting.delete(key);
    return;
  }
  const nowMs = io.clock.now();
  const dueMs = evictionMs(pod, executeTaintsOf(node), nowMs);
  if (dueMs !== undefined && dueMs <= nowMs) {
    waiting.delete(key);
    io.events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    const condition = disruptionCondition('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint', nowMs);
    return removePod(pod, { condition, force: false }, io);
  }
  if (dueMs !== undefined) {
    waiting.add(key);
    return { requeueAfterMs: dueMs - nowMs };
  }
  if (waiting.delete(key)) io.events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
}

/** When the pod has to go; undefined: it may stay for ever. Time counts from the taint, or from when the pod came to the node. */
export function evictionMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const bound = findCondition(pod.status?.conditions, 'PodScheduled')?.lastTransitionTime ?? pod.metadata.creationTimestamp;
  const boundMs = parseTime(bound) ?? nowMs;
  let dueMs: number | undefined;
  for (const taint of taints) {
    const matching = pod.spec.tolerations?.filter((toleration) => tolerates(toleration, taint)) ?? [];
    if (matching.length === 0) return nowMs;
    const seconds = tolerationSeconds(matching);
    if (seconds === undefined) continue;
    const sinceMs = Math.max(boundMs, parseTime(taint.timeAdded ?? '') ?? boundMs);
    dueMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, sinceMs + seconds * 1000);
  }
  return dueMs;
}

/** The shortest; undefined: for ever. */
function tolerationSeconds(matching: readonly Toleration[]): number | undefined {
  const limited = matching.flatMap((toleration) => toleration.tolerationSeconds ?? []);
  return limited.length > 0 ? Math.max(0, Math.min(...limited)) : undefined;
}
