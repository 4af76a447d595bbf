/** Pods that wait for their claims, on the real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../src/api/generated/kinds.ts';
import { errors } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { type SchedulerCluster, type SchedulerClusterOptions, startSchedulerCluster } from './scheduler-cluster.ts';

const accessModes = ['ReadWriteOnce'] as const;
const at = { namespace: 'default', name: 'data' };
const resources = { requests: { storage: '1Gi' } };
const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }];
const selectedNode = 'volume.kubernetes.io/selected-node';

test('a pod waits for its claim to be there, and to be bound', async () => {
  await using cluster = await startSchedulerCluster();
  const { client } = cluster;
  await cluster.node('a');
  await cluster.pod('web', { volumes });
  await cluster.pod('other');
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('other'), 'a');
  const { status, reason, message } = (await cluster.scheduled('web')) ?? {};
  const missing = '0/1 nodes are available: persistentvolumeclaim "data" not found.';
  assert.deepEqual([status, reason, message], ['False', 'Unschedulable', missing]);
  assert.deepEqual(await cluster.events('web'), [`FailedScheduling: ${missing}`]);

  await client.create(PersistentVolumeClaim, { metadata: at, spec: { accessModes, resources, storageClassName: '' } });
  await cluster.settle(10_000);
  const unbound = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
  assert.equal((await cluster.scheduled('web'))?.message, unbound);

  const claim = await client.get(PersistentVolumeClaim, at);
  const claimRef = { kind: 'PersistentVolumeClaim', ...at, uid: claim.metadata.uid };
  await client.create(PersistentVolume, {
    metadata: { name: 'v' },
    spec: { accessModes, capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/v' }, claimRef },
  });
  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { spec: { volumeName: 'v' } } });
  await cluster.settle(10_000);
  assert.equal(await cluster.nodeOf('web'), undefined);
  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { status: { phase: 'Bound' } } }, { subresource: 'status' });
  await cluster.settle(10_000);
  assert.equal(await cluster.nodeOf('web'), 'a');
});

/** A node, a claim whose class waits for its first consumer, and a free volume of that class where there is to be one. */
async function startWaiting({ wrap, free = false }: Pick<SchedulerClusterOptions, 'wrap'> & { free?: boolean } = {}) {
  const cluster = await startSchedulerCluster(wrap ? { wrap } : {});
  const { client } = cluster;
  await cluster.node('a');
  await client.create(StorageClass, { metadata: { name: 'late' }, provisioner: 'x.y/z', volumeBindingMode: 'WaitForFirstConsumer' });
  await client.create(PersistentVolumeClaim, { metadata: at, spec: { accessModes, resources, storageClassName: 'late' } });
  if (free) await createVolume(cluster);
  return cluster;
}

const createVolume = async ({ client }: SchedulerCluster, claimRef?: object): Promise<void> => {
  const spec = { accessModes, capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/v' }, storageClassName: 'late' };
  await client.create(PersistentVolume, { metadata: { name: 'v' }, spec: { ...spec, ...(claimRef && { claimRef }) } });
  await client.patch(
    PersistentVolume,
    { name: 'v' },
    { type: 'merge', body: { status: { phase: 'Available' } } },
    { subresource: 'status' },
  );
};

/** What a provisioner and the volume controllers do. */
async function provide(cluster: SchedulerCluster): Promise<void> {
  const { client } = cluster;
  const { metadata } = await client.get(PersistentVolumeClaim, at);
  await createVolume(cluster, { kind: 'PersistentVolumeClaim', ...at, uid: metadata.uid });
  await confirm(cluster);
}

async function confirm({ client }: SchedulerCluster): Promise<void> {
  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { spec: { volumeName: 'v' } } });
  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { status: { phase: 'Bound' } } }, { subresource: 'status' });
}

test('pods that share a claim go together, as soon as it is bound', async () => {
  await using cluster = await startWaiting();
  for (const name of ['one', 'two', 'three']) await cluster.pod(name, { volumes });
  await cluster.settle(1000);
  assert.equal((await cluster.client.get(PersistentVolumeClaim, at)).metadata.annotations?.[selectedNode], 'a');
  assert.equal(await cluster.nodeOf('one'), undefined);
  await provide(cluster);
  await cluster.settle(1000);
  assert.deepEqual(await Promise.all(['one', 'two', 'three'].map(cluster.nodeOf)), ['a', 'a', 'a']);
});

/** A client whose first update of a kind fails. */
const failing =
  (kind: { readonly kind: string }) =>
  (client: Client): Client => {
    let failed = false;
    const update: Client['update'] = (...args) => {
      if (failed || args[0].kind !== kind.kind) return client.update(...args);
      failed = true;
      return Promise.reject(errors.serviceUnavailable('the disk is full'));
    };
    return new Proxy(client, { get: (target, key) => (key === 'update' ? update : Reflect.get(target, key).bind?.(target)) });
  };

const binding = 'running PreBind plugin "VolumeBinding": binding volumes: ';
const breaks: readonly {
  readonly name: string;
  readonly given?: Parameters<typeof startWaiting>[0];
  readonly happens?: (cluster: SchedulerCluster) => Promise<unknown>;
  readonly want: string | RegExp;
}[] = [
  {
    name: 'a provisioner gives its claim back',
    happens: ({ client }) =>
      client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { metadata: { annotations: { [selectedNode]: null } } } }),
    want: `${binding}provisioning failed for PVC "data"`,
  },
  {
    name: 'nobody makes the volume',
    happens: ({ settle }) => settle(600_000),
    want: `${binding}context deadline exceeded`,
  },
  {
    name: 'the claim can not be written',
    given: { wrap: failing(PersistentVolumeClaim) },
    want: /^running PreBind plugin "VolumeBinding": .*the disk is full/,
  },
  {
    name: 'the volume can not be written',
    given: { wrap: failing(PersistentVolume), free: true },
    want: /^running PreBind plugin "VolumeBinding": .*the disk is full/,
  },
  {
    name: 'the volume is taken from it',
    given: { free: true },
    happens: ({ client }) => client.patch(PersistentVolume, { name: 'v' }, { type: 'merge', body: { spec: { claimRef: null } } }),
    want: `${binding}ClaimRef got reset for pv "v"`,
  },
  {
    name: 'the volume goes',
    given: { free: true },
    happens: ({ client }) => client.delete(PersistentVolume, { name: 'v' }),
    want: `${binding}failed to check binding: persistentvolume "v" not found`,
  },
];

for (const { name, given, happens, want } of breaks)
  test(`a pod that waits for its volume is tried again when ${name}`, async () => {
    await using cluster = await startWaiting(given);
    await cluster.pod('web', { volumes });
    await cluster.settle(100);
    await happens?.(cluster);
    await cluster.settle(100);
    assert.equal(await cluster.nodeOf('web'), undefined);
    const told = (await cluster.events('web')).map((text) => text.replace(/^FailedScheduling: /, ''));
    assert.ok(
      told.some((text) => (typeof want === 'string' ? text === want : want.test(text))),
      told.join('\n'),
    );
    await cluster.settle(30_000);
    if ((await cluster.client.list(PersistentVolume)).items.length === 0) await provide(cluster);
    else await confirm(cluster);
    await cluster.settle(30_000);
    assert.equal(await cluster.nodeOf('web'), 'a');
  });

test('a pod that goes while its volume is made holds nothing back', async () => {
  await using cluster = await startWaiting({ free: true });
  const { client } = cluster;
  await cluster.pod('web', { volumes });
  await cluster.settle(100);
  await cluster.remove('web');
  await client.delete(PersistentVolumeClaim, at);
  await client.patch(PersistentVolume, { name: 'v' }, { type: 'merge', body: { spec: { claimRef: null } } });
  await client.create(PersistentVolumeClaim, { metadata: at, spec: { accessModes, resources, storageClassName: 'late' } });
  await cluster.pod('next', { volumes });
  await cluster.settle(1000);
  await confirm(cluster);
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('next'), 'a');
});
