/** ServiceCIDRs become ready, and go when no Service needs them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, IPAddress, ServiceCIDR } from '../../src/api/generated/kinds.ts';
import { errors } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { serviceCIDRController } from '../../src/control-plane/controllers/services/service-cidr.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';
const waits = 'Terminating: There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';

const start = (options?: ControlPlaneOptions): Promise<ControlPlane> => startControlPlane([serviceCIDRController], options);

const make = (client: Client, name: string, ...cidrs: readonly string[]) =>
  client.create(ServiceCIDR, { metadata: { name }, spec: { cidrs } });

const take = (client: Client, name: string) =>
  client.create(IPAddress, {
    metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
  });

/** `name True`, `name False Terminating: …`, of all that are there. */
async function shown({ client }: ControlPlane): Promise<readonly string[]> {
  const { items } = await client.list(ServiceCIDR);
  return items.map(({ metadata, status }) => {
    assert.deepEqual(metadata.finalizers, [finalizer]);
    const [condition, ...more] = status.conditions ?? [];
    assert.deepEqual([condition?.type, more], ['Ready', []]);
    return `${metadata.name} ${condition?.status}${condition?.reason ? ` ${condition.reason}: ${condition.message}` : ''}`;
  });
}

test('one that is made is protected and ready', async () => {
  await using plane = await start();
  await make(plane.client, 'more', '10.9.0.0/24', '2001:db8::/64');
  await plane.settle();
  assert.deepEqual(await shown(plane), ['more True']);
  const { resourceVersion } = (await plane.client.get(ServiceCIDR, { name: 'more' })).metadata;
  await take(plane.client, '10.9.0.3');
  await plane.tick(20);
  assert.equal((await plane.client.get(ServiceCIDR, { name: 'more' })).metadata.resourceVersion, resourceVersion);
});

test('one that nothing needs goes after the time that allocators have to learn it', async () => {
  await using plane = await start();
  await make(plane.client, 'more', '10.9.0.0/24');
  await plane.settle();
  await plane.client.delete(ServiceCIDR, { name: 'more' });
  await plane.tick(9);
  assert.deepEqual(await shown(plane), ['more True']);
  await plane.tick(2);
  assert.deepEqual(await shown(plane), []);
});

test('one with a Service’s address waits until the Service has gone', async () => {
  await using plane = await start();
  await make(plane.client, 'more', '10.9.0.0/24');
  await take(plane.client, '10.9.0.3');
  await plane.settle();
  await plane.client.delete(ServiceCIDR, { name: 'more' });
  await plane.tick(60);
  assert.deepEqual(await shown(plane), [`more False ${waits}`]);
  await plane.client.delete(IPAddress, { name: '10.9.0.3' });
  await plane.settle();
  assert.deepEqual(await shown(plane), []);
});

test('an address that comes while it waits for the allocators holds it', async () => {
  await using plane = await start();
  await make(plane.client, 'more', '10.9.0.0/24');
  await plane.settle();
  await plane.client.delete(ServiceCIDR, { name: 'more' });
  await plane.tick(5);
  await take(plane.client, '10.9.0.3');
  await plane.tick(20);
  assert.deepEqual(await shown(plane), [`more False ${waits}`]);
});

test('another one that has the addresses frees it, and the last of two twins stays', async () => {
  await using plane = await start();
  const { client } = plane;
  await make(client, 'more', '10.9.0.0/24');
  await take(client, '10.9.0.3');
  await plane.settle();
  await client.delete(ServiceCIDR, { name: 'more' });
  await plane.tick(20);
  await make(client, 'wide', '10.9.0.0/16');
  await plane.settle();
  assert.deepEqual(await shown(plane), ['wide True']);
  await make(client, 'twin', '10.9.0.0/16');
  await plane.settle();
  await Promise.all([client.delete(ServiceCIDR, { name: 'twin' }), client.delete(ServiceCIDR, { name: 'wide' })]);
  await plane.tick(20);
  const left = await shown(plane);
  assert.equal(left.length, 1);
  assert.match(left[0] ?? '', /False Terminating/);
});

test('a status that can’t be written is told, and tried again', async () => {
  let refusals = 2;
  const wrap = (client: Client): Client =>
    new Proxy(client, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (name !== 'patch') return typeof member === 'function' ? member.bind(target) : member;
        return (...call: Parameters<Client['patch']>) =>
          call[3]?.subresource === 'status' && refusals-- > 0 ? Promise.reject(errors.internal('no')) : target.patch(...call);
      },
    });
  await using plane = await start({ wrap });
  await make(plane.client, 'more', '10.9.0.0/24');
  await plane.tick(5);
  assert.deepEqual(await shown(plane), ['more True']);
  const events = (await plane.client.list(Event)).items.map(
    (event) => `${event.source?.component} ${event.type} ${event.reason}: ${event.message}`,
  );
  assert.deepEqual(events, [
    'service-cidr-controller Warning KubernetesServiceCIDRError: The ServiceCIDR Status can not be set to Ready=True',
  ]);
});
