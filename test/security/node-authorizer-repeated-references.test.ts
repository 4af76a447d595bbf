/**
 * A pod that refers to one object several times, and pods that share one: a node keeps the right to read it while one of
 * its pods is left, and not a moment longer (k/k#142574).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Volume } from '../../src/api/generated/core-v1.ts';
import { ConfigMap, Node, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from '../../src/api/generated/kinds.ts';
import type { KindRef } from '../../src/api/meta/object.ts';
import { isForbidden } from '../../src/api/meta/status-error.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';

const namespace = 'default';
const source = { name: 's' };
const volumes: readonly Volume[] = [
  { name: 'a', secret: { secretName: 's' } },
  { name: 'b', projected: { sources: [{ secret: source }, { secret: source }, { configMap: source }] } },
  { name: 'c', configMap: source },
  { name: 'd', persistentVolumeClaim: { claimName: 's' } },
  { name: 'e', persistentVolumeClaim: { claimName: 's' } },
];
const container = {
  image: 'i',
  envFrom: [{ secretRef: source }, { secretRef: source }, { configMapRef: source }],
  env: [{ name: 'A', valueFrom: { secretKeyRef: { ...source, key: 'k' } } }],
};

test('what a node may read ends with the last of its pods that refers to it', async () => {
  await using running = await startGuardedServer();
  const { admin } = running;
  const kubelet = running.as('system:node:n', 'system:nodes');
  const other = running.as('system:node:m', 'system:nodes');
  await admin.create(Node, { metadata: { name: 'n' }, spec: {} });
  await admin.create(Secret, { metadata: { name: 's', namespace } });
  await admin.create(Secret, { metadata: { name: 'of-volume', namespace } });
  await admin.create(ConfigMap, { metadata: { name: 's', namespace } });
  const accessModes = ['ReadWriteOnce'] as const;
  await admin.create(PersistentVolumeClaim, {
    metadata: { name: 's', namespace },
    spec: { accessModes, resources: { requests: { storage: '1' } } },
  });
  const secretRef = { name: 'of-volume', namespace };
  await admin.create(PersistentVolume, {
    metadata: { name: 'v' },
    spec: {
      accessModes,
      capacity: { storage: '1' },
      claimRef: { namespace, name: 's' },
      csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: secretRef, nodeStageSecretRef: secretRef },
    },
  });
  const spec = { nodeName: 'n', containers: [{ name: 'c', ...container }], initContainers: [{ name: 'i', ...container }], volumes };
  const objects: readonly (readonly [KindRef, string])[] = [
    [Secret, 's'],
    [Secret, 'of-volume'],
    [ConfigMap, 's'],
    [PersistentVolumeClaim, 's'],
  ];
  const readable = async (client = kubelet): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const [kind, name] of objects) {
      try {
        await client.get(kind, { name, namespace });
        found.push(`${kind.resource}/${name}`);
      } catch (error) {
        assert.ok(isForbidden(error));
      }
    }
    return found;
  };
  const all = objects.map(([kind, name]) => `${kind.resource}/${name}`);
  const remove = (name: string) => admin.delete(Pod, { name, namespace }, { gracePeriodSeconds: 0 });

  assert.deepEqual(await readable(), []);
  await admin.create(Pod, { metadata: { name: 'p', namespace }, spec });
  await admin.create(Pod, { metadata: { name: 'q', namespace }, spec });
  assert.deepEqual(await readable(), all);
  assert.deepEqual(await readable(other), []);
  for (let i = 0; i < 3; i++) {
    const body = { metadata: { annotations: { turn: String(i) } } };
    await admin.patch(Pod, { name: 'p', namespace }, { type: 'merge', body });
  }
  await remove('q');
  assert.deepEqual(await readable(), all);
  await remove('p');
  assert.deepEqual(await readable(), []);
});
