/** Claims and volumes, bound and released, on the real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../src/api/generated/kinds.ts';
import { ephemeralVolumeController } from '../../src/control-plane/controllers/volumes/ephemeral-volume.ts';
import { volumeBinder } from '../../src/control-plane/controllers/volumes/volume-binder.ts';
import { volumeExpander } from '../../src/control-plane/controllers/volumes/volume-expander.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

const start = () => startControlPlane([volumeBinder, volumeExpander, ephemeralVolumeController]);
const accessModes = ['ReadWriteOnce'] as const;
const at = { namespace: 'default', name: 'data' };
const claimSpec = (storage: string, storageClassName?: string): PersistentVolumeClaim['spec'] => ({
  accessModes,
  resources: { requests: { storage } },
  ...(storageClassName !== undefined && { storageClassName }),
});
const volumeSpec = (storage: string, more: Partial<PersistentVolume['spec']> = {}): PersistentVolume['spec'] => ({
  accessModes,
  capacity: { storage },
  hostPath: { path: '/tmp/x' },
  ...more,
});

const phases = async ({ client }: ControlPlane): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...(await client.list(PersistentVolumeClaim)).items, ...(await client.list(PersistentVolume)).items].map(
      ({ metadata, status, spec }) => [metadata.name, `${status?.phase} ${'volumeName' in spec ? (spec.volumeName ?? '') : ''}`.trim()],
    ),
  );
const events = async ({ client }: ControlPlane, about: string): Promise<readonly string[]> =>
  (await client.list(Event)).items.flatMap((each) => (each.involvedObject.name === about ? `${each.reason}: ${each.message}` : []));

test('claims get the volumes that do, and keep them; a volume whose claim is gone is released, and not given away', async () => {
  await using plane = await start();
  const { client } = plane;
  await client.create(PersistentVolumeClaim, { metadata: at, spec: claimSpec('3Gi', '') });
  await client.create(PersistentVolumeClaim, { metadata: { ...at, name: 'large' }, spec: claimSpec('8Gi', '') });
  await plane.settle();
  assert.deepEqual(await phases(plane), { data: 'Pending', large: 'Pending' });
  await client.create(PersistentVolume, { metadata: { name: 'v5' }, spec: volumeSpec('5Gi') });
  await client.create(PersistentVolume, { metadata: { name: 'v9' }, spec: volumeSpec('9Gi') });
  await plane.settle();
  assert.deepEqual(await phases(plane), { data: 'Bound v5', large: 'Bound v9', v5: 'Bound', v9: 'Bound' });
  const { status, metadata } = await client.get(PersistentVolumeClaim, at);
  assert.deepEqual(status.capacity, { storage: '5Gi' });
  assert.deepEqual(metadata.annotations, { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' });

  await client.delete(PersistentVolumeClaim, at);
  await client.create(PersistentVolumeClaim, { metadata: at, spec: claimSpec('3Gi', '') });
  await plane.settle();
  assert.deepEqual(await phases(plane), { data: 'Pending', large: 'Bound v9', v5: 'Released', v9: 'Bound' });
  await client.patch(PersistentVolume, { name: 'v5' }, { type: 'merge', body: { spec: { claimRef: null } } });
  await plane.settle();
  assert.deepEqual(await phases(plane), { data: 'Bound v5', large: 'Bound v9', v5: 'Bound', v9: 'Bound' });
  await client.delete(PersistentVolume, { name: 'v9' });
  await plane.settle();
  assert.equal((await phases(plane))['large'], 'Lost v9');
  assert.deepEqual(await events(plane, 'large'), [
    'FailedBinding: no persistent volumes available for this claim and no storage class is set',
    'ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!',
  ]);
});

test('many claims and as many volumes: each gets one of its own', async () => {
  await using plane = await start();
  const { client } = plane;
  const count = 50;
  for (let i = 0; i < count; i++) {
    const [claim, volume] = [
      { metadata: { ...at, name: `c${i}` }, spec: claimSpec('1Gi', '') },
      { metadata: { name: `v${i}` }, spec: volumeSpec('1Gi') },
    ];
    await Promise.all([client.create(PersistentVolumeClaim, claim), client.create(PersistentVolume, volume)]);
  }
  await plane.settle();
  await plane.tick(2);
  const volumes = (await client.list(PersistentVolumeClaim)).items.map(({ spec }) => spec.volumeName);
  assert.equal(new Set(volumes).size, count);
  assert.ok(volumes.every(Boolean));
});

test('a class that becomes the default later reaches claims that name none; its provisioner is asked', async () => {
  await using plane = await start();
  const { client } = plane;
  await client.create(PersistentVolumeClaim, { metadata: at, spec: claimSpec('1Gi') });
  await client.create(PersistentVolumeClaim, { metadata: { ...at, name: 'none' }, spec: claimSpec('1Gi', '') });
  await plane.settle();
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  await client.create(StorageClass, { metadata: { name: 'later', annotations }, provisioner: 'example.com/x' });
  await plane.settle();
  const { spec, metadata } = await client.get(PersistentVolumeClaim, at);
  assert.equal(spec.storageClassName, 'later');
  assert.equal(metadata.annotations?.['volume.kubernetes.io/storage-provisioner'], 'example.com/x');
  assert.equal((await client.get(PersistentVolumeClaim, { ...at, name: 'none' })).spec.storageClassName, '');
  assert.match(
    (await events(plane, 'data')).join(),
    /ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com\/x'/,
  );
});

test('a bound claim that asks for more is told who enlarges it', async () => {
  await using plane = await start();
  const { client } = plane;
  await client.create(PersistentVolume, { metadata: { name: 'v' }, spec: volumeSpec('5Gi') });
  await client.create(PersistentVolumeClaim, { metadata: at, spec: claimSpec('5Gi', '') });
  await plane.settle();
  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { spec: { resources: { requests: { storage: '7Gi' } } } } });
  await plane.settle();
  assert.ok((await events(plane, 'data')).includes('ExternalExpanding: waiting for an external controller to expand this PVC'));
});

test("an ephemeral volume gets a claim of the pod's own, and another's is left alone", async () => {
  await using plane = await start();
  const { client } = plane;
  const labels = { a: 'b' };
  const ephemeral = { volumeClaimTemplate: { metadata: { labels }, spec: claimSpec('1Gi', '') } };
  const pod = (name: string) => ({
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'v', ephemeral }] },
  });
  await client.create(PersistentVolumeClaim, { metadata: { ...at, name: 'b-v' }, spec: claimSpec('1Gi', '') });
  const a = await client.create(Pod, pod('a'));
  await client.create(Pod, pod('b'));
  await plane.settle();
  const own = { ...at, name: 'a-v' };
  const { metadata } = await client.get(PersistentVolumeClaim, own);
  assert.deepEqual([metadata.labels, metadata.ownerReferences?.map(({ uid }) => uid)], [labels, [a.metadata.uid]]);
  assert.deepEqual(await events(plane, 'b'), [
    'FailedBinding: ephemeral volume v: PVC default/b-v was not created for pod default/b (pod is not owner)',
  ]);
  await client.delete(PersistentVolumeClaim, own);
  await plane.settle();
  assert.notEqual((await client.get(PersistentVolumeClaim, own)).metadata.uid, metadata.uid);
});
