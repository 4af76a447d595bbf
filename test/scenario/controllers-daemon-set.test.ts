/** DaemonSets on the whole control plane: nodes come and go, templates change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DaemonSetSpec } from '../../src/api/generated/apps-v1.ts';
import { ControllerRevision, DaemonSet, Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { targetNodeOf } from '../../src/control-plane/controllers/workloads/daemon-nodes.ts';
import { daemonSetController } from '../../src/control-plane/controllers/workloads/daemon-set.ts';
import { createNode, podTemplate, startControlPlane, type TestNodeOptions, testNode } from './control-plane.ts';

const at = { namespace: 'n', name: 'd' };

async function start(spec: Partial<DaemonSetSpec> = {}, fate?: TestNodeOptions['fate']) {
  const plane = await startControlPlane([daemonSetController(), testNode(fate ? { fate } : {})]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  for (const name of ['a', 'b', 'c']) await createNode(client, name, { disk: name === 'c' ? 'hdd' : 'ssd' });
  const rollingUpdate = { maxUnavailable: 1, maxSurge: 0 };
  const full = {
    selector: { matchLabels: { app: 'd' } },
    template: podTemplate({ app: 'd' }),
    updateStrategy: { type: 'RollingUpdate' as const, rollingUpdate },
    ...spec,
  };
  await client.create(DaemonSet, { metadata: at, spec: full });
  await plane.settle();
  const pods = async () => {
    const { items } = await client.list(Pod, { namespace: 'n' });
    return items.map((pod) => `${targetNodeOf(pod)}:${pod.spec.containers[0]?.image}`).sort();
  };
  const patch = async (body: unknown) => {
    await client.patch(DaemonSet, at, { type: 'merge', body });
    await plane.settle();
  };
  const setImage = (image: string) => patch({ spec: { template: { spec: { containers: [{ name: 'main', image }] } } } });
  return { plane, client, pods, patch, setImage, status: async () => (await client.get(DaemonSet, at)).status };
}

test('every node that fits has one pod', async () => {
  const template = podTemplate({ app: 'd' });
  const { plane, client, pods, status } = await start({
    template: { ...template, spec: { ...template.spec, nodeSelector: { disk: 'ssd' } } },
  });
  await using _ = plane;
  assert.deepEqual(await pods(), ['a:one', 'b:one']);
  assert.deepEqual(await status(), {
    currentNumberScheduled: 2,
    numberMisscheduled: 0,
    desiredNumberScheduled: 2,
    numberReady: 2,
    observedGeneration: 1,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
  });
  await client.patch(Node, { name: 'c' }, { type: 'merge', body: { metadata: { labels: { disk: 'ssd' } } } });
  await client.patch(Node, { name: 'a' }, { type: 'merge', body: { metadata: { labels: { disk: 'hdd' } } } });
  await plane.settle();
  assert.deepEqual(await pods(), ['b:one', 'c:one']);
});

test('a NoSchedule taint lets a pod stay, a NoExecute taint does not', async () => {
  const { plane, client, pods } = await start();
  await using _ = plane;
  const taint = async (name: string, effect: string) => {
    await client.patch(Node, { name }, { type: 'merge', body: { spec: { taints: [{ key: 'k', value: 'v', effect }] } } });
    await plane.settle();
  };
  await taint('a', 'NoSchedule');
  await taint('b', 'NoExecute');
  assert.deepEqual(await pods(), ['a:one', 'c:one']);
  await client.delete(Pod, {
    namespace: 'n',
    name: (await client.list(Pod, { namespace: 'n' })).items.find((pod) => targetNodeOf(pod) === 'a')?.metadata.name ?? '',
  });
  await plane.settle();
  assert.deepEqual(await pods(), ['c:one']);
});

test('a rolling update replaces one after the other, and keeps history', async () => {
  let slow = false;
  const { plane, client, pods, setImage } = await start({}, (pod) =>
    slow && pod.spec.containers[0]?.image === 'two' ? 'running' : 'ready',
  );
  await using _ = plane;
  slow = true;
  await setImage('two');
  assert.deepEqual((await pods()).map((pod) => pod.slice(2)).sort(), ['one', 'one', 'two']);
  await plane.tick(5);
  assert.deepEqual((await pods()).map((pod) => pod.slice(2)).sort(), ['one', 'one', 'two']);
  slow = false;
  // Only the new one: the old ones go when it is ready.
  for (const { metadata, spec } of (await client.list(Pod, { namespace: 'n' })).items) {
    if (spec.containers[0]?.image !== 'two') continue;
    await client.patch(Pod, metadata, { type: 'merge', body: { metadata: { annotations: { touched: '1' } } } });
  }
  await plane.settle();
  assert.deepEqual(await pods(), ['a:two', 'b:two', 'c:two']);
  await setImage('one');
  const revisions = (await client.list(ControllerRevision, { namespace: 'n' })).items.map(({ revision }) => revision).sort();
  assert.deepEqual(revisions, [2, 3]);
  assert.deepEqual(await pods(), ['a:one', 'b:one', 'c:one']);
});

test('with surge the old pod goes when the new one is ready', async () => {
  let slow = true;
  const updateStrategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
  const fate = (pod: Pod) => (slow && pod.spec.containers[0]?.image === 'two' ? ('running' as const) : ('ready' as const));
  const { plane, client, pods, setImage } = await start({ updateStrategy }, fate);
  await using _ = plane;
  await setImage('two');
  assert.deepEqual((await pods()).map((pod) => pod.slice(2)).sort(), ['one', 'one', 'one', 'two']);
  slow = false;
  // Only the new one: the old ones go when it is ready.
  for (const { metadata, spec } of (await client.list(Pod, { namespace: 'n' })).items) {
    if (spec.containers[0]?.image !== 'two') continue;
    await client.patch(Pod, metadata, { type: 'merge', body: { metadata: { annotations: { touched: '1' } } } });
  }
  await plane.settle();
  assert.deepEqual(await pods(), ['a:two', 'b:two', 'c:two']);
});

test('OnDelete: a pod gets the new template when the old one is deleted', async () => {
  const { plane, client, pods, setImage } = await start({ updateStrategy: { type: 'OnDelete' } });
  await using _ = plane;
  await setImage('two');
  assert.deepEqual(await pods(), ['a:one', 'b:one', 'c:one']);
  const first = (await client.list(Pod, { namespace: 'n' })).items.find((pod) => targetNodeOf(pod) === 'b');
  await client.delete(Pod, { namespace: 'n', name: first?.metadata.name ?? '' });
  await plane.settle();
  assert.deepEqual(await pods(), ['a:one', 'b:two', 'c:one']);
});

test('a failed pod is replaced, with growing delays', async () => {
  const { plane, client, pods } = await start({}, (pod) => (targetNodeOf(pod) === 'a' ? 'failed' : 'ready'));
  await using _ = plane;
  const created = new Set<string>();
  const look = async () => {
    for (const pod of (await client.list(Pod, { namespace: 'n' })).items) if (targetNodeOf(pod) === 'a') created.add(pod.metadata.name);
  };
  for (let i = 0; i < 20; i++) {
    await look();
    await plane.tick(1);
  }
  assert.ok(created.size >= 4 && created.size <= 6, `${created.size} pods in 20 s`);
  assert.equal((await pods()).length, 3);
});
