/**
 * Takes away pods that nobody else will: of nodes that are gone, terminating ones that were never scheduled or whose
 * node is out of service, and the oldest of those that have ended when there are too many.
 *
 * Guarantee: a node counts as gone when it has been missing for 40 s and the API says so.
 * Upstream: pkg/controller/podgc.
 */
import { Node, Pod } from '../../../api/generated/kinds.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { byCreation } from '../../../api/meta/order.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { isPodTerminal } from '../../../api/predicates/pod-state.ts';
import { type ControllerIO, defineController, watched } from '../../../client/controllers/controller.ts';
import { readyStatusOf } from '../nodes/node-health.ts';
import { disruptionCondition, podsOnNode, removePod } from '../nodes/pods-on-node.ts';
import { settleAll } from '../slow-start.ts';

const endedPodsMax = 12_500;
const checkEndedMs = 20_000;
const quarantineMs = 40_000;
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** Keys: `ended`, `node NAME`, `pod NAMESPACE/NAME`. */
const endedKey = 'ended';
const nodePrefix = 'node ';
const podPrefix = 'pod ';

export const podGarbageCollector = defineController({
  name: 'pod-garbage-collector-controller',
  serviceAccount: 'pod-garbage-collector',
  watches: [watched(Pod, keysOfPod), watched(Node, keysOfNode)],
  concurrency: 4,
  async reconcile(key, io) {
    if (key === endedKey) return removeEnded(io);
    if (key.startsWith(nodePrefix)) return removeOrphans(key.slice(nodePrefix.length), io);
    return removeStuck(key.slice(podPrefix.length), io);
  },
});

function keysOfPod(pod: Pod, old: Pod | undefined, io: ControllerIO): readonly ObjectKey[] {
  const { nodeName } = pod.spec;
  if (isPodTerminal(pod) && !(old && isPodTerminal(old))) io.enqueue(endedKey, checkEndedMs);
  if (nodeName && nodeName !== old?.spec.nodeName && !io.client.informer(Node).get(nodeName))
    io.enqueue(nodePrefix + nodeName, quarantineMs);
  return pod.metadata.deletionTimestamp && isStuck(pod, io) ? [podPrefix + keyOf(pod)] : [];
}

function keysOfNode(node: Node, old: Node | undefined, io: ControllerIO): readonly ObjectKey[] {
  const { name } = node.metadata;
  if (!io.client.informer(Node).get(name)) io.enqueue(nodePrefix + name, quarantineMs);
  if (!isOutOfService(node) || (old && isOutOfService(old))) return [];
  return podsOnNode(name, io)
    .filter(({ metadata }) => metadata.deletionTimestamp)
    .map((pod) => podPrefix + keyOf(pod));
}

const isOutOfService = (node: Node): boolean =>
  readyStatusOf(node) !== 'True' && (node.spec?.taints?.some(({ key }) => key === outOfServiceTaint) ?? false);

/** Nobody will end it: it has no node, or its node is out of service. */
function isStuck({ spec }: Pod, io: ControllerIO): boolean {
  if (!spec.nodeName) return true;
  const node = io.client.informer(Node).get(spec.nodeName);
  return node !== undefined && isOutOfService(node);
}

async function removeStuck(key: ObjectKey, io: ControllerIO): Promise<void> {
  const pod = io.client.informer(Pod).get(key);
  if (pod?.metadata.deletionTimestamp && isStuck(pod, io)) await removePod(pod, { force: true }, io);
}

async function removeOrphans(name: string, io: ControllerIO): Promise<void> {
  const pods = podsOnNode(name, io);
  if (pods.length === 0 || io.client.informer(Node).get(name)) return;
  const isThere = await io.client.get(Node, { name }).then(
    () => true,
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );
  if (isThere) return;
  const condition = disruptionCondition('DeletionByPodGC', 'PodGC: node no longer exists', io.clock.now());
  await settleAll(pods.map((pod) => removePod(pod, { condition, force: true }, io)));
}

async function removeEnded(io: ControllerIO): Promise<void> {
  const ended = io.client.informer(Pod).list().filter(isPodTerminal);
  const surplus = ended.length - endedPodsMax;
  if (surplus <= 0) return;
  const isEvicted = ({ status }: Pod): boolean => status.phase === 'Failed' && status.reason === 'Evicted';
  const order = (a: Pod, b: Pod): number => Number(isEvicted(b)) - Number(isEvicted(a)) || byCreation(a, b);
  await settleAll(
    ended
      .sort(order)
      .slice(0, surplus)
      .map((pod) => removePod(pod, { force: true }, io)),
  );
}
