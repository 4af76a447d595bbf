/** Pods that wait for their claims, on the real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PersistentVolume, PersistentVolumeClaim } from '../../src/api/generated/kinds.ts';
import { startSchedulerCluster } from './scheduler-cluster.ts';

const accessModes = ['ReadWriteOnce'] as const;
const at = { namespace: 'default', name: 'data' };

test('a pod waits for its claim to be there, and to be bound', async () => {
  await using cluster = await startSchedulerCluster();
  const { client } = cluster;
  await cluster.node('a');
  await cluster.pod('web', { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] });
  await cluster.pod('other');
  await cluster.settle(1000);
  assert.equal(await cluster.nodeOf('other'), 'a');
  const { status, reason, message } = (await cluster.scheduled('web')) ?? {};
  const missing = '0/1 nodes are available: persistentvolumeclaim "data" not found.';
  assert.deepEqual([status, reason, message], ['False', 'Unschedulable', missing]);
  assert.deepEqual(await cluster.events('web'), [`FailedScheduling: ${missing}`]);

  const resources = { requests: { storage: '1Gi' } };
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
