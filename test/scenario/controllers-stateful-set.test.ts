/** StatefulSets on the whole control plane: order, identity, storage, updates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSetSpec } from '../../src/api/generated/apps-v1.ts';
import { ControllerRevision, Namespace, PersistentVolumeClaim, Pod, StatefulSet } from '../../src/api/generated/kinds.ts';
import { statefulSetController } from '../../src/control-plane/controllers/workloads/stateful-set.ts';
import { podTemplate, startControlPlane, type TestNodeOptions, testNode } from './control-plane.ts';

type Fate = NonNullable<TestNodeOptions['fate']>;
const at = { namespace: 'n', name: 'db' };

async function start(spec: Partial<StatefulSetSpec> = {}, fate: Fate = () => 'ready') {
  let current = fate;
  const seen: string[] = [];
  const plane = await startControlPlane([
    statefulSetController,
    testNode({
      fate: (pod) => {
        if (!seen.includes(pod.metadata.name)) seen.push(pod.metadata.name);
        return current(pod);
      },
    }),
  ]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const selector = { matchLabels: { app: 'db' } };
  await client.create(StatefulSet, {
    metadata: at,
    spec: { replicas: 3, serviceName: 'db', selector, template: podTemplate({ app: 'db' }), ...spec },
  });
  await plane.settle();
  const list = async () => (await client.list(Pod, { namespace: 'n' })).items;
  return {
    plane,
    client,
    seen,
    pods: async () => (await list()).map((pod) => `${pod.metadata.name}:${pod.spec.containers[0]?.image}`),
    status: async () => (await client.get(StatefulSet, at)).status,
    async patch(body: unknown) {
      await client.patch(StatefulSet, at, { type: 'merge', body: { spec: body } });
      await plane.settle();
    },
    async change(next: Fate) {
      current = next;
      const body = { metadata: { annotations: { touched: String(plane.clock.now()) } } };
      for (const { metadata } of await list()) await client.patch(Pod, metadata, { type: 'merge', body });
      await plane.settle();
    },
  };
}
const image = (name: string) => ({ template: { spec: { containers: [{ name: 'main', image: name }] } } });

test('pods come one after the other, each when the one before is ready', async () => {
  const { plane, pods, status, change, seen, client } = await start({}, () => 'running');
  await using _ = plane;
  assert.deepEqual(await pods(), ['db-0:one']);
  await change((pod) => (pod.metadata.name === 'db-1' ? 'running' : 'ready'));
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:one']);
  await change(() => 'ready');
  assert.deepEqual(seen, ['db-0', 'db-1', 'db-2']);
  const { currentRevision, updateRevision, ...counts } = await status();
  assert.equal(currentRevision, updateRevision);
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    collisionCount: 0,
    availableReplicas: 3,
  });
  const pod = await client.get(Pod, { namespace: 'n', name: 'db-1' });
  assert.deepEqual([pod.spec.hostname, pod.spec.subdomain], ['db-1', 'db']);
  assert.deepEqual(pod.metadata.labels, {
    app: 'db',
    'statefulset.kubernetes.io/pod-name': 'db-1',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': currentRevision,
  });
});

test('scaling down takes the highest first', async () => {
  const { plane, pods, patch } = await start();
  await using _ = plane;
  await patch({ replicas: 1 });
  assert.deepEqual(await pods(), ['db-0:one']);
  await patch({ replicas: 2, ordinals: { start: 1 } });
  assert.deepEqual(await pods(), ['db-1:one', 'db-2:one']);
});

test('an update goes from the highest down, one at a time', async () => {
  const { plane, pods, patch, change, status, client } = await start();
  await using _ = plane;
  await change((pod) => (pod.metadata.name === 'db-1' && pod.spec.containers[0]?.image === 'two' ? 'running' : 'ready'));
  await patch(image('two'));
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:two', 'db-2:two']);
  assert.deepEqual([(await status()).currentReplicas, (await status()).updatedReplicas], [1, 2]);
  await change(() => 'ready');
  assert.deepEqual(await pods(), ['db-0:two', 'db-1:two', 'db-2:two']);
  const { currentRevision, updateRevision } = await status();
  assert.equal(currentRevision, updateRevision);
  assert.deepEqual((await client.list(ControllerRevision, { namespace: 'n' })).items.map(({ revision }) => revision).sort(), [1, 2]);
});

test('below the partition pods stay, and come back, as they were', async () => {
  const { plane, pods, patch, client } = await start({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
  await using _ = plane;
  await patch(image('two'));
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:one', 'db-2:two']);
  await client.delete(Pod, { namespace: 'n', name: 'db-0' });
  await plane.settle();
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:one', 'db-2:two']);
});

test('parallel pods do not wait for each other', async () => {
  const { plane, pods, patch } = await start({ podManagementPolicy: 'Parallel' }, () => 'running');
  await using _ = plane;
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:one', 'db-2:one']);
  await patch({ replicas: 0 });
  assert.deepEqual(await pods(), []);
});

test('a failed pod is replaced under its name', async () => {
  let failed = false;
  const { plane, pods, change } = await start();
  await using _ = plane;
  await change((pod) => {
    if (pod.metadata.name !== 'db-1' || failed) return 'ready';
    failed = true;
    return 'failed';
  });
  assert.deepEqual(await pods(), ['db-0:one', 'db-1:one', 'db-2:one']);
});

test('each pod has its claim, which stays when the pod goes', async () => {
  const volumeClaimTemplates = [
    { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ];
  const spec = { volumeClaimTemplates: volumeClaimTemplates as unknown as PersistentVolumeClaim[] };
  const { plane, client, patch } = await start(spec);
  await using _ = plane;
  const claims = async () => (await client.list(PersistentVolumeClaim, { namespace: 'n' })).items;
  assert.deepEqual(
    (await claims()).map(({ metadata }) => metadata.name),
    ['data-db-0', 'data-db-1', 'data-db-2'],
  );
  const pod = await client.get(Pod, { namespace: 'n', name: 'db-1' });
  assert.deepEqual(pod.spec.volumes?.[0], { name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } });
  await patch({ replicas: 1 });
  assert.equal((await claims()).length, 3);
  await patch({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } });
  const [first] = await claims();
  assert.deepEqual(
    first?.metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`),
    ['StatefulSet db'],
  );
});
