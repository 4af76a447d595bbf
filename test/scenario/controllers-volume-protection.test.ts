/** Claims, volumes and classes of volume attributes stay until nothing uses them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Namespace, PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from '../../src/api/generated/kinds.ts';
import {
  attributesClassProtection,
  claimProtection,
  volumeProtection,
} from '../../src/control-plane/controllers/deletion/volume-protection.ts';
import { startControlPlane } from './control-plane.ts';

async function start() {
  const plane = await startControlPlane([claimProtection, volumeProtection, attributesClassProtection]);
  await plane.client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  return plane;
}

const claimSpec: PersistentVolumeClaim['spec'] = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

test('a claim goes with the last pod that uses it', async () => {
  await using plane = await start();
  const { client } = plane;
  const at = { namespace: 'n', name: 'data' };
  await client.create(PersistentVolumeClaim, { metadata: at, spec: claimSpec });
  await client.create(Pod, {
    metadata: { namespace: 'n', name: 'user' },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      automountServiceAccountToken: false,
    },
  });
  await client.delete(PersistentVolumeClaim, at);
  await plane.settle();
  assert.ok((await client.get(PersistentVolumeClaim, at)).metadata.deletionTimestamp);
  await client.delete(Pod, { namespace: 'n', name: 'user' }, { gracePeriodSeconds: 0 });
  await plane.settle();
  assert.deepEqual((await client.list(PersistentVolumeClaim, { namespace: 'n' })).items, []);
});

test('a volume goes when it is not bound', async () => {
  await using plane = await start();
  const { client } = plane;
  const spec: PersistentVolume['spec'] = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/tmp' } };
  for (const [name, phase] of [
    ['bound', 'Bound'],
    ['free', 'Available'],
  ] as const) {
    await client.create(PersistentVolume, { metadata: { name }, spec });
    await plane.settle();
    const volume = await client.get(PersistentVolume, { name });
    await client.update(PersistentVolume, { ...volume, status: { phase } }, { subresource: 'status' });
    await client.delete(PersistentVolume, { name });
  }
  await plane.settle();
  assert.deepEqual(
    (await client.list(PersistentVolume)).items.map(({ metadata }) => metadata.name),
    ['bound'],
  );
});

test('a class goes after the claims that name it', async () => {
  await using plane = await start();
  const { client } = plane;
  await client.create(VolumeAttributesClass, { metadata: { name: 'fast' }, driverName: 'd', parameters: { iops: '1' } });
  const at = { namespace: 'n', name: 'data' };
  await client.create(PersistentVolumeClaim, { metadata: at, spec: { ...claimSpec, volumeAttributesClassName: 'fast' } });
  await client.delete(VolumeAttributesClass, { name: 'fast' });
  await plane.settle();
  assert.equal((await client.list(VolumeAttributesClass)).items.length, 1);
  await client.delete(PersistentVolumeClaim, at);
  await plane.settle();
  assert.equal((await client.list(VolumeAttributesClass)).items.length, 0);
});
