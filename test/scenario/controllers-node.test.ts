/** Nodes that fall silent, are tainted, vanish: what becomes of them and of their pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeStatus, PodSpec } from '../../src/api/generated/core-v1.ts';
import { Event, Job, Lease, Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { formatMicroTime } from '../../src/api/meta/time.ts';
import { ttlAfterFinishedController } from '../../src/control-plane/controllers/deletion/ttl-after-finished.ts';
import { nodeLifecycleController } from '../../src/control-plane/controllers/nodes/node-lifecycle.ts';
import { taintEvictionController } from '../../src/control-plane/controllers/nodes/taint-eviction.ts';
import { podGarbageCollector } from '../../src/control-plane/controllers/pods/pod-garbage-collector.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

const leases = 'kube-node-lease';

async function start() {
  const controllers = [nodeLifecycleController(), taintEvictionController(), podGarbageCollector, ttlAfterFinishedController];
  const plane = await startControlPlane(controllers);
  await plane.client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  return plane;
}

/** A node whose kubelet has reported once. */
async function join({ client, clock }: ControlPlane, name: string): Promise<void> {
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: '2026-01-01T00:00:00Z' };
  const status: NodeStatus = { conditions: [ready, { type: 'MemoryPressure', status: 'False' }] };
  const node = await client.create(Node, { metadata: { name }, spec: {} });
  await client.update(Node, { ...node, status }, { subresource: 'status' });
  const spec = { holderIdentity: name, renewTime: formatMicroTime(clock.now()) };
  await client.create(Lease, { metadata: { namespace: leases, name }, spec });
}

/** Time passes while these nodes renew their leases. */
async function live({ client, clock, tick }: ControlPlane, seconds: number, nodes: readonly string[]): Promise<void> {
  for (let left = seconds; left > 0; left -= 10) {
    for (const name of nodes) {
      const renewTime = formatMicroTime(clock.now());
      await client.patch(Lease, { namespace: leases, name }, { type: 'merge', body: { spec: { renewTime } } });
    }
    await tick(Math.min(10, left));
  }
}

const taintsOf = (node: Node): string[] => (node.spec?.taints ?? []).map(({ key, effect }) => `${key.split('/')[1]}:${effect}`).sort();
const conditionsOf = (node: Node): string[] =>
  (node.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason ?? ''}`);

async function runPod({ client }: ControlPlane, name: string, nodeName: string, spec: Partial<PodSpec> = {}): Promise<void> {
  const containers = [{ name: 'c', image: 'i' }];
  const pod = await client.create(Pod, { metadata: { namespace: 'n', name }, spec: { containers, nodeName, ...spec } });
  const status = { phase: 'Running' as const, conditions: [{ type: 'Ready', status: 'True' }] };
  await client.update(Pod, { ...pod, status }, { subresource: 'status' });
}
const podNames = async ({ client }: ControlPlane) =>
  (await client.list(Pod, { namespace: 'n' })).items.map(({ metadata }) => metadata.name);
const eventsOf = async ({ client }: ControlPlane) => (await client.list(Event)).items.map(({ reason, message }) => `${reason}: ${message}`);

test('a silent node is unknown after 50 s, tainted, and well again when it reports', async () => {
  await using plane = await start();
  const { client } = plane;
  await join(plane, 'silent');
  await join(plane, 'alive');
  await runPod(plane, 'p', 'silent', { tolerations: [{ operator: 'Exists' }] });
  await live(plane, 48, ['alive']);
  assert.deepEqual(taintsOf(await client.get(Node, { name: 'silent' })), []);
  await live(plane, 5, ['alive']);
  const silent = await client.get(Node, { name: 'silent' });
  assert.deepEqual(conditionsOf(silent), [
    'Ready=Unknown NodeStatusUnknown',
    'MemoryPressure=Unknown NodeStatusUnknown',
    'DiskPressure=Unknown NodeStatusNeverUpdated',
    'PIDPressure=Unknown NodeStatusNeverUpdated',
  ]);
  assert.deepEqual(taintsOf(silent), ['unreachable:NoExecute', 'unreachable:NoSchedule']);
  assert.equal(
    (await client.get(Pod, { namespace: 'n', name: 'p' })).status.conditions?.find(({ type }) => type === 'Ready')?.status,
    'False',
  );
  assert.deepEqual(conditionsOf(await client.get(Node, { name: 'alive' })), ['Ready=True KubeletReady', 'MemoryPressure=False ']);
  const events = await eventsOf(plane);
  assert.ok(events.includes('NodeNotReady: Node silent status is now: NodeNotReady'), events.join());
  assert.ok(events.includes('NodeNotReady: Node is not ready'), events.join());

  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: '2026-01-01T00:01:00Z' }];
  await client.update(Node, { ...silent, status: { conditions } }, { subresource: 'status' });
  await plane.settle();
  assert.deepEqual(taintsOf(await client.get(Node, { name: 'silent' })), []);
});

test('when every node is silent, no pod is driven away', async () => {
  await using plane = await start();
  await join(plane, 'only');
  await runPod(plane, 'p', 'only');
  await plane.tick(120);
  assert.deepEqual(taintsOf(await plane.client.get(Node, { name: 'only' })), ['unreachable:NoSchedule']);
  assert.deepEqual(await podNames(plane), ['p']);
});

test('pods are driven away from one node in ten seconds', async () => {
  await using plane = await start();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await join(plane, name);
  const tainted = async () => {
    const { items } = await plane.client.list(Node);
    return items.filter((node) => taintsOf(node).includes('unreachable:NoExecute')).length;
  };
  await live(plane, 55, ['c', 'd', 'e']);
  assert.equal(await tainted(), 1);
  await live(plane, 10, ['c', 'd', 'e']);
  assert.equal(await tainted(), 2);
});

test('NoExecute evicts at once, or when the toleration is over, or never', async () => {
  await using plane = await start();
  const { client } = plane;
  await join(plane, 'a');
  const key = 'example.com/k';
  await runPod(plane, 'never', 'a', { tolerations: [{ key, operator: 'Exists' }] });
  await runPod(plane, 'later', 'a', { tolerations: [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }] });
  await runPod(plane, 'now', 'a');
  await plane.settle();
  const gone = async () =>
    (await client.list(Pod, { namespace: 'n' })).items
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name);
  const timeAdded = '2026-01-01T00:00:00Z';
  await client.patch(Node, { name: 'a' }, { type: 'merge', body: { spec: { taints: [{ key, effect: 'NoExecute', timeAdded }] } } });
  await plane.settle();
  assert.deepEqual(await gone(), ['now']);
  const pod = await client.get(Pod, { namespace: 'n', name: 'now' });
  assert.equal(pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason, 'DeletionByTaintManager');
  await plane.tick(29);
  assert.deepEqual(await gone(), ['now']);
  await plane.tick(2);
  assert.deepEqual(await gone(), ['later', 'now']);
});

test('pressure and cordon bring NoSchedule taints, and take them along', async () => {
  await using plane = await start();
  const { client } = plane;
  await join(plane, 'a');
  await client.patch(Node, { name: 'a' }, { type: 'merge', body: { spec: { unschedulable: true } } });
  await plane.settle();
  const node = await client.get(Node, { name: 'a' });
  const conditions = [...(node.status?.conditions ?? []).slice(0, 1), { type: 'MemoryPressure', status: 'True' }];
  await client.update(Node, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' });
  await plane.settle();
  assert.deepEqual(taintsOf(await client.get(Node, { name: 'a' })), ['memory-pressure:NoSchedule', 'unschedulable:NoSchedule']);
  await client.patch(Node, { name: 'a' }, { type: 'merge', body: { spec: { unschedulable: false } } });
  await plane.settle();
  assert.deepEqual(taintsOf(await client.get(Node, { name: 'a' })), ['memory-pressure:NoSchedule']);
});

test('pods of a node that is gone go after 40 s; one that was never scheduled goes when it is deleted', async () => {
  await using plane = await start();
  const { client } = plane;
  await join(plane, 'a');
  await runPod(plane, 'p', 'a');
  await client.create(Pod, { metadata: { namespace: 'n', name: 'unscheduled' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  await client.delete(Pod, { namespace: 'n', name: 'unscheduled' });
  await plane.settle();
  assert.deepEqual(await podNames(plane), ['p']);
  await client.delete(Node, { name: 'a' });
  await plane.tick(38);
  assert.deepEqual(await podNames(plane), ['p']);
  await plane.tick(4);
  assert.deepEqual(await podNames(plane), []);
});

test('a finished Job goes when its time is over', async () => {
  await using plane = await start();
  const { client } = plane;
  const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'c', image: 'i' }] } };
  const selector = { matchLabels: { j: 'j' } };
  const spec = {
    ttlSecondsAfterFinished: 20,
    template: { ...template, metadata: { labels: selector.matchLabels } },
    selector,
    manualSelector: true,
  };
  const job = await client.create(Job, { metadata: { namespace: 'n', name: 'j' }, spec });
  const time = { lastTransitionTime: '2026-01-01T00:00:00Z', lastProbeTime: '2026-01-01T00:00:00Z' };
  const conditions = ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', ...time }));
  const status = { startTime: time.lastTransitionTime, completionTime: time.lastTransitionTime, conditions };
  await client.update(Job, { ...job, status }, { subresource: 'status' });
  await plane.tick(19);
  assert.equal((await client.list(Job)).items.length, 1);
  await plane.tick(2);
  assert.equal((await client.list(Job)).items.filter(({ metadata }) => !metadata.deletionTimestamp).length, 0);
});
