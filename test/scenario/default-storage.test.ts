/** The default storage class, on simulated nodes: claims are bound where their pods run, enlarged, and go with their data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet, StorageClass } from '../../src/api/generated/kinds.ts';
import { startCluster } from '../../src/cluster/start-cluster.ts';
import { whenGone, whenSeen } from '../kit/when-seen.ts';

test('a stateful set gets volumes, which grow, outlive their pods and go with their claims', async () => {
  await using cluster = await startCluster({ name: 's', nodes: 0, simulated: 2 });
  const { client } = cluster;
  const labels = { app: 'db' };
  const at = { namespace: 'default', name: 'data-db-0' };
  const resources = { requests: { storage: '1Gi' } };
  await client.create(StatefulSet, {
    metadata: { namespace: 'default', name: 'db' },
    spec: {
      selector: { matchLabels: labels },
      serviceName: 'db',
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources } }],
    },
  } as never);
  const pod = await whenSeen(client, Pod, { namespace: 'default', name: 'db-0' }, ({ status }) => status.phase === 'Running');
  const claim = await client.get(PersistentVolumeClaim, at);
  const volume = await client.get(PersistentVolume, { name: claim.spec.volumeName ?? '' });
  assert.deepEqual([claim.spec.storageClassName, claim.status.phase], ['standard', 'Bound']);
  assert.deepEqual(volume.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values, [pod.spec.nodeName]);

  await client.patch(PersistentVolumeClaim, at, { type: 'merge', body: { spec: { resources: { requests: { storage: '2Gi' } } } } });
  await whenSeen(client, PersistentVolumeClaim, at, ({ status }) => status.capacity?.['storage'] === '2Gi');
  assert.deepEqual((await client.get(PersistentVolumeClaim, at)).status.allocatedResources, { storage: '2Gi' });
  assert.deepEqual((await client.get(PersistentVolume, { name: volume.metadata.name })).spec.capacity, { storage: '2Gi' });

  await client.delete(Pod, { namespace: 'default', name: 'db-0' });
  const next = await whenSeen(
    client,
    Pod,
    { namespace: 'default', name: 'db-0' },
    ({ metadata, status }) => metadata.uid !== pod.metadata.uid && status.phase === 'Running',
  );
  assert.equal(next.spec.nodeName, pod.spec.nodeName);

  const gone = whenGone(client, PersistentVolume, { name: volume.metadata.name });
  await client.delete(StatefulSet, { namespace: 'default', name: 'db' });
  await client.delete(PersistentVolumeClaim, at);
  await gone;
  assert.deepEqual((await client.list(PersistentVolume)).items, []);
});

test('what is not for directories is refused, or left to others', async () => {
  await using cluster = await startCluster({ name: 's', nodes: 0, simulated: 1 });
  const { client } = cluster;
  await client.create(StorageClass, { metadata: { name: 'foreign' }, provisioner: 'x.y/z' });
  const rows: readonly { name: string; spec?: Partial<PersistentVolumeClaim['spec']>; node?: string; want?: string }[] = [
    { name: 'foreign', spec: { storageClassName: 'foreign' } },
    { name: 'block', spec: { volumeMode: 'Block' }, want: 'directories are no block devices: take volumeMode Filesystem' },
    {
      name: 'clone',
      spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } },
      want: 'directories are not made from other volumes or snapshots yet',
    },
    { name: 'chosen', spec: { selector: { matchLabels: { a: 'b' } } }, want: 'claim.Spec.Selector is not supported' },
    { name: 'lost', node: 's-simulated-9', want: 'node "s-simulated-9" not found' },
  ];
  const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } as const;
  for (const { name, spec, node = 's-simulated-1' } of rows) {
    // somebody writes by hand what scheduler and volume controllers write
    const annotations = {
      'volume.kubernetes.io/storage-provisioner': 'timonier.dev/directory',
      'volume.kubernetes.io/selected-node': node,
    };
    await client.create(PersistentVolumeClaim, { metadata: { namespace: 'default', name, annotations }, spec: { ...claimSpec, ...spec } });
  }
  for (const { name, spec, want } of rows) {
    if (want === undefined) continue;
    const message = `failed to provision volume with StorageClass "${spec?.storageClassName ?? 'standard'}": ${want}`;
    for await (const event of client.watch(Event, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` }))
      if (event.type !== 'BOOKMARK' && event.object.message === message) break;
  }
  assert.deepEqual((await client.list(PersistentVolume)).items, []);
});

test('a class that waits for nobody gets its volumes where there is a node, and as soon as there is one', async () => {
  await using cluster = await startCluster({ name: 's', nodes: 0, simulated: 2 });
  const { client } = cluster;
  await client.create(StorageClass, { metadata: { name: 'at-once' }, provisioner: 'timonier.dev/directory' });
  const cordon = (name: string, unschedulable: boolean) =>
    client.patch(Node, { name }, { type: 'merge', body: { spec: { unschedulable } } });
  const names = ['s-simulated-1', 's-simulated-2'];
  for (const name of names) await cordon(name, true);
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'at-once', resources: { requests: { storage: '1Gi' } } } as const;
  const at = (name: string) => ({ namespace: 'default', name });
  for (const name of ['one', 'two']) await client.create(PersistentVolumeClaim, { metadata: at(name), spec });
  for await (const event of client.watch(Event, { namespace: 'default' }))
    if (event.type !== 'BOOKMARK' && /no node is ready to take it$/.test(event.object.message ?? '')) break;
  for (const name of names) await cordon(name, false);
  for (const name of ['one', 'two']) await whenSeen(client, PersistentVolumeClaim, at(name), ({ status }) => status.phase === 'Bound');
  const volumes = (await client.list(PersistentVolume)).items;
  assert.equal(volumes.length, 2);
  assert.ok(volumes.every(({ metadata }) => names.includes(metadata.annotations?.['timonier.dev/node'] ?? '')));
});
