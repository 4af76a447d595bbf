/**
 * CVE-2024-7598: a namespace goes, its policies before its pods, and for a while these run without a policy. What
 * protects or serves a pod stays until the last pod is gone. Upstream: KEP-5080, ordered namespace deletion.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConfigMap,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  RoleBinding,
  Secret,
  Service,
} from '../../src/api/generated/kinds.ts';
import type { KindRef } from '../../src/api/meta/object.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { namespaceController } from '../../src/control-plane/controllers/deletion/namespace.ts';
import { startControlPlane, testNode } from '../scenario/control-plane.ts';

const namespace = 'n';
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
const guards: readonly (readonly [KindRef, object])[] = [
  [NetworkPolicy, { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } }],
  [PodDisruptionBudget, { spec: { maxUnavailable: 0, selector: {} } }],
  [LimitRange, { spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] } }],
  [RoleBinding, { roleRef }],
  [Service, { spec: { type: 'ExternalName', externalName: 'example.org' } }],
  [Secret, { stringData: { key: 'value' } }],
  [ConfigMap, { data: { key: 'value' } }],
];
const containers = [{ name: 'main', image: 'one' }];

test('nothing but pods goes before the last pod', async () => {
  await using plane = await startControlPlane([namespaceController, testNode(), garbageCollector()]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
  for (const [kind, content] of guards) await client.create(kind, { metadata: { namespace, name: 'guard' }, ...content });
  const pods = ['quick', 'slow-1', 'slow-2'];
  for (const name of pods) {
    const finalizers = name === 'quick' ? [] : ['example.com/wait'];
    await client.create(Pod, { metadata: { namespace, name, finalizers }, spec: { containers } });
  }
  await plane.settle();

  const left = async (kind: KindRef): Promise<number> => (await client.list(kind, { namespace })).items.length;
  const guarding = async () => Promise.all(guards.map(async ([kind]) => `${kind.resource} ${await left(kind)}`));
  const all = await guarding();
  await client.delete(Namespace, { name: namespace });
  for (const podsLeft of [2, 1]) {
    await plane.tick(60);
    assert.equal(await left(Pod), podsLeft);
    assert.deepEqual(await guarding(), all);
    // nor does anything new come that would run in a namespace on its way out
    const late = client.create(Pod, { metadata: { namespace, name: 'late' }, spec: { containers } });
    await assert.rejects(late, /because it is being terminated/);
    const name = `slow-${podsLeft}`;
    await client.patch(Pod, { namespace, name }, { type: 'merge', body: { metadata: { finalizers: null } } });
  }
  await plane.tick(60);
  assert.deepEqual(
    await guarding(),
    guards.map(([kind]) => `${kind.resource} 0`),
  );
  await assert.rejects(client.get(Namespace, { name: namespace }), /not found/);
});
