/** Deployments and ReplicaSets on the whole control plane: from a template to ready pods, and what happens to strays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentSpec } from '../../src/api/generated/apps-v1.ts';
import { Deployment, Event, Namespace, Pod, ReplicaSet } from '../../src/api/generated/kinds.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { deploymentController } from '../../src/control-plane/controllers/workloads/deployment.ts';
import { replicaSetController } from '../../src/control-plane/controllers/workloads/replica-set.ts';
import { podTemplate, startControlPlane, type TestNodeOptions, testNode } from './control-plane.ts';

const at = { namespace: 'n', name: 'web' };

async function start(spec: Partial<DeploymentSpec> = {}, fate: NonNullable<TestNodeOptions['fate']> = () => 'ready') {
  const plane = await startControlPlane([deploymentController, replicaSetController, garbageCollector(), testNode({ fate })]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const selector = { matchLabels: { app: 'web' } };
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await client.create(Deployment, {
    metadata: at,
    spec: { replicas: 3, selector, strategy, template: podTemplate({ app: 'web' }), ...spec },
  });
  await plane.settle();
  const pods = async () => (await client.list(Pod, { namespace: 'n' })).items;
  const patch = async (body: unknown) => {
    await client.patch(Deployment, at, { type: 'merge', body });
    await plane.settle();
  };
  return {
    plane,
    client,
    pods,
    patch,
    setImage: (image: string) => patch({ spec: { template: { spec: { containers: [{ name: 'main', image }] } } } }),
    images: async () => (await pods()).map(({ spec }) => spec.containers[0]?.image).sort(),
    get: () => client.get(Deployment, at),
    reasons: async () =>
      (await client.get(Deployment, at)).status.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`).sort(),
  };
}

test('a Deployment comes up, rolls over and is complete each time', async () => {
  const { plane, client, get, setImage, images, reasons } = await start();
  await using _ = plane;
  const complete = ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable'];
  assert.deepEqual(await reasons(), complete);
  const { conditions: _c, ...counts } = (await get()).status;
  const all = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };
  assert.deepEqual(counts, { observedGeneration: 1, ...all, terminatingReplicas: 0 });
  await setImage('two');
  assert.deepEqual(await images(), ['two', 'two', 'two']);
  assert.deepEqual(await reasons(), complete);
  assert.equal((await get()).metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  const events = (await client.list(Event, { namespace: 'n' })).items.filter(({ reason }) => reason === 'ScalingReplicaSet');
  assert.deepEqual(
    events.map(({ message = '' }) => message.replace(/ replica set \S+/, '')),
    [
      'Scaled up from 0 to 3',
      'Scaled up from 0 to 1',
      'Scaled down from 3 to 2',
      'Scaled up from 1 to 2',
      'Scaled down from 2 to 1',
      'Scaled up from 2 to 3',
      'Scaled down from 1 to 0',
    ],
  );
});

test('a rollout that gets stuck is reported at its deadline, and leaves the old pods serving', async () => {
  const fate = (pod: Pod) => (pod.spec.containers[0]?.image === 'bad' ? ('running' as const) : ('ready' as const));
  const { plane, setImage, images, reasons, patch } = await start({ progressDeadlineSeconds: 60 }, fate);
  await using _ = plane;
  await setImage('bad');
  await plane.tick(59);
  assert.deepEqual(await images(), ['bad', 'one', 'one', 'one']);
  assert.deepEqual(await reasons(), ['Available=True MinimumReplicasAvailable', 'Progressing=True ReplicaSetUpdated']);
  await plane.tick(4);
  assert.deepEqual(await reasons(), ['Available=True MinimumReplicasAvailable', 'Progressing=False ProgressDeadlineExceeded']);
  await patch({ spec: { template: { spec: { containers: [{ name: 'main', image: 'good' }] } } } });
  assert.deepEqual(await images(), ['good', 'good', 'good']);
  assert.deepEqual(await reasons(), ['Available=True MinimumReplicasAvailable', 'Progressing=True NewReplicaSetAvailable']);
});

test('minReadySeconds: a pod counts only after it has been ready so long', async () => {
  const { plane, get, setImage, images } = await start({ minReadySeconds: 10 });
  await using _ = plane;
  assert.equal((await get()).status.availableReplicas, undefined);
  await plane.tick(11);
  assert.equal((await get()).status.availableReplicas, 3);
  await setImage('two');
  assert.deepEqual(await images(), ['one', 'one', 'one', 'two']);
  await plane.tick(11);
  assert.deepEqual(await images(), ['one', 'one', 'two', 'two']);
  await plane.tick(25);
  assert.deepEqual(await images(), ['two', 'two', 'two']);
});

test('a pod that matches is adopted, one that no longer matches is let go and replaced', async () => {
  const { plane, client, pods } = await start();
  await using _ = plane;
  const [set] = (await client.list(ReplicaSet, { namespace: 'n' })).items;
  const labels = set?.spec.selector?.matchLabels ?? {};
  const [first] = await pods();
  const relabel = { metadata: { labels: { app: 'debug' } } };
  await client.patch(Pod, { namespace: 'n', name: first?.metadata.name ?? '' }, { type: 'merge', body: relabel });
  await plane.settle();
  const stray = await client.get(Pod, { namespace: 'n', name: first?.metadata.name ?? '' });
  assert.equal(stray.metadata.ownerReferences, undefined);
  assert.equal((await pods()).length, 4);

  await client.create(Pod, { metadata: { namespace: 'n', name: 'orphan', labels }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  await plane.settle();
  const left = await pods();
  const owned = left.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === set?.metadata.uid);
  assert.deepEqual([left.length, owned.length], [4, 3]);
});

test('deleting takes everything along; orphaning leaves the pods', async () => {
  const { plane, client, pods } = await start();
  await using _ = plane;
  const [set] = (await client.list(ReplicaSet, { namespace: 'n' })).items;
  await client.delete(Deployment, at, { propagationPolicy: 'Orphan' });
  await plane.settle();
  assert.equal((await pods()).length, 3);
  await client.delete(ReplicaSet, { namespace: 'n', name: set?.metadata.name ?? '' }, { propagationPolicy: 'Foreground' });
  await plane.tick(1); // the collector may lose to a status, and then comes again a moment later
  assert.deepEqual([await pods(), (await client.list(ReplicaSet, { namespace: 'n' })).items], [[], []]);
});
