/** The default storage class, on simulated nodes: claims are bound where their pods run, enlarged, and go with their data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PersistentVolume, PersistentVolumeClaim, Pod, StatefulSet } from '../../src/api/generated/kinds.ts';
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
