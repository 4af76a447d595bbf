/** Owners, dependents, namespaces: what goes, what stays, and in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap, Namespace, Secret, ServiceAccount } from '../../src/api/generated/kinds.ts';
import type { OwnerReference } from '../../src/api/generated/meta-v1.ts';
import type { Client } from '../../src/client/client.ts';
import { rootCAController } from '../../src/control-plane/controllers/access/root-ca.ts';
import { serviceAccountController } from '../../src/control-plane/controllers/access/service-account.ts';
import { garbageCollector } from '../../src/control-plane/controllers/deletion/garbage-collector.ts';
import { namespaceController } from '../../src/control-plane/controllers/deletion/namespace.ts';
import { startControlPlane } from './control-plane.ts';

const referenceTo = (owner: ConfigMap, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...more,
});

function makerOf(client: Client) {
  return (name: string, owners: readonly OwnerReference[] = [], finalizers: readonly string[] = []) =>
    client.create(ConfigMap, { metadata: { namespace: 'n', name, ownerReferences: owners, finalizers } });
}

async function start() {
  const plane = await startControlPlane([garbageCollector()]);
  await plane.client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  const names = async () => (await plane.client.list(ConfigMap, { namespace: 'n' })).items.map(({ metadata }) => metadata.name);
  const remove = async (name: string, propagationPolicy = 'Background') => {
    await plane.client.delete(ConfigMap, { namespace: 'n', name }, { propagationPolicy });
    await plane.settle();
  };
  return { plane, make: makerOf(plane.client), names, remove };
}

test('background: dependents go after their owner, down to the last', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const owner = await make('owner');
  const child = await make('child', [referenceTo(owner)]);
  await make('grandchild', [referenceTo(child)]);
  await make('bystander');
  await plane.settle();
  assert.deepEqual(await names(), ['bystander', 'child', 'grandchild', 'owner']);
  await remove('owner');
  assert.deepEqual(await names(), ['bystander']);
});

test('one owner that is left keeps a dependent, without the reference to the one that is gone', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const first = await make('first');
  const second = await make('second');
  await make('child', [referenceTo(first), referenceTo(second)]);
  await remove('first');
  assert.deepEqual(await names(), ['child', 'second']);
  const child = await plane.client.get(ConfigMap, { namespace: 'n', name: 'child' });
  assert.deepEqual(
    child.metadata.ownerReferences?.map(({ name }) => name),
    ['second'],
  );
});

test('foreground: an owner waits for the dependents that block it', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const owner = await make('owner');
  await make('blocking', [referenceTo(owner, { blockOwnerDeletion: true })], ['example.com/wait']);
  await make('free', [referenceTo(owner)], ['example.com/wait']);
  await remove('owner', 'Foreground');
  assert.deepEqual(await names(), ['blocking', 'free', 'owner']);
  const waiting = await plane.client.get(ConfigMap, { namespace: 'n', name: 'owner' });
  assert.deepEqual(waiting.metadata.finalizers, ['foregroundDeletion']);
  const noFinalizers = { type: 'merge' as const, body: { metadata: { finalizers: null } } };
  await plane.client.patch(ConfigMap, { namespace: 'n', name: 'blocking' }, noFinalizers);
  await plane.settle();
  assert.deepEqual(await names(), ['free']);
});

test('orphan: dependents stay, without their owner', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const owner = await make('owner');
  await make('child', [referenceTo(owner)]);
  await remove('owner', 'Orphan');
  assert.deepEqual(await names(), ['child']);
  const child = await plane.client.get(ConfigMap, { namespace: 'n', name: 'child' });
  assert.equal(child.metadata.ownerReferences, undefined);
});

test('who deletes in the foreground may still let the dependents be', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const owner = await make('owner');
  await make('child', [referenceTo(owner, { blockOwnerDeletion: true })], ['example.com/wait']);
  await plane.settle();
  await remove('owner', 'Foreground');
  assert.deepEqual(await names(), ['child', 'owner']);
  await remove('owner', 'Orphan');
  assert.deepEqual(await names(), ['child']);
  const child = await plane.client.get(ConfigMap, { namespace: 'n', name: 'child' });
  assert.equal(child.metadata.ownerReferences, undefined);
});

test('who names an owner where it is not goes, and takes nobody along', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const [owner, other] = [await make('owner'), await make('other')];
  await make('child', [referenceTo(owner), referenceTo(other)]);
  await plane.client.create(Namespace, { metadata: { name: 'm' }, spec: {} });
  const strays = [
    { namespace: 'm', name: 'stray' },
    { namespace: 'n', name: 'liar' },
  ];
  for (const at of strays) {
    const reference = referenceTo(owner, at.name === 'liar' ? { name: 'other' } : {});
    await plane.client.create(ConfigMap, { metadata: { ...at, ownerReferences: [reference] } });
  }
  await plane.settle();
  assert.deepEqual((await plane.client.list(ConfigMap, { namespace: 'm' })).items, []);
  await remove('other');
  assert.deepEqual(await names(), ['child', 'owner']);
});

test('an owner that never was: its dependent goes', async () => {
  const { plane, make, names } = await start();
  await using _ = plane;
  const owner = await make('owner');
  await make('child', [referenceTo(owner, { uid: 'another' })]);
  await plane.settle();
  assert.deepEqual(await names(), ['owner']);
});

test('a circle of dependents that block each other can be deleted in the foreground', async () => {
  const { plane, make, names, remove } = await start();
  await using _ = plane;
  const one = await make('one');
  const two = await make('two', [referenceTo(one, { blockOwnerDeletion: true })]);
  const patch = { type: 'merge' as const, body: { metadata: { ownerReferences: [referenceTo(two, { blockOwnerDeletion: true })] } } };
  await plane.client.patch(ConfigMap, { namespace: 'n', name: 'one' }, patch);
  await plane.settle();
  await remove('one', 'Foreground');
  await plane.tick(2);
  assert.deepEqual(await names(), []);
});

test('a namespace has its service account and root certificate, and goes with everything in it', async () => {
  await using plane = await startControlPlane([namespaceController, serviceAccountController, rootCAController('PEM'), garbageCollector()]);
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'n' }, spec: {} });
  await plane.settle();
  assert.ok(await client.get(ServiceAccount, { namespace: 'n', name: 'default' }));
  assert.deepEqual((await client.get(ConfigMap, { namespace: 'n', name: 'kube-root-ca.crt' })).data, { 'ca.crt': 'PEM' });
  await client.delete(ServiceAccount, { namespace: 'n', name: 'default' });
  await plane.settle();
  assert.ok(await client.get(ServiceAccount, { namespace: 'n', name: 'default' }));

  await client.create(Secret, { metadata: { namespace: 'n', name: 'stuck', finalizers: ['example.com/wait'] } });
  await client.delete(Namespace, { name: 'n' });
  await plane.settle();
  const going = await client.get(Namespace, { name: 'n' });
  assert.equal(going.status?.phase, 'Terminating');
  assert.deepEqual(
    going.status.conditions?.filter(({ status }) => status === 'True').map(({ type, message }) => `${type}: ${message}`),
    [
      'NamespaceContentRemaining: Some resources are remaining: secrets. has 1 resource instances',
      'NamespaceFinalizersRemaining: Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances',
    ],
  );
  await client.patch(Secret, { namespace: 'n', name: 'stuck' }, { type: 'merge', body: { metadata: { finalizers: null } } });
  await plane.tick(8);
  assert.ok((await client.list(Namespace)).items.every(({ metadata }) => metadata.name !== 'n'));
  assert.deepEqual((await client.list(ConfigMap, { namespace: 'n' })).items, []);
});
