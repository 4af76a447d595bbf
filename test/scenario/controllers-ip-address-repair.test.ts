/** Services and their IPAddress objects come to agree again, whatever was done to either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, IPAddress, Service, ServiceCIDR } from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { ipAddressRepair } from '../../src/control-plane/controllers/services/ip-address-repair.ts';
import { startCluster } from '../../src/index.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

const namespace = 'default';
const labels = { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
const component = ipAddressRepair.name;

const serve = (client: Client, name: string, address: string) =>
  client.create(Service, { metadata: { namespace, name }, spec: { clusterIP: address, clusterIPs: [address], ports: [{ port: 80 }] } });

const record = (client: Client, name: string, parent: string, own: object = labels) =>
  client.create(IPAddress, {
    metadata: { name, labels: { ...own } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name: parent } },
  });

/** `10.9.0.7 web`, of all that have the allocator's labels. */
async function records(client: Client): Promise<readonly string[]> {
  const selector = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  const { items } = await client.list(IPAddress, { labelSelector: selector.join() });
  return items.map(({ metadata, spec }) => `${metadata.name} ${spec.parentRef?.name}`);
}

async function told(client: Client): Promise<readonly string[]> {
  const { items } = await client.list(Event);
  return items
    .filter(({ source }) => source?.component === component)
    .map(({ involvedObject: { kind, name }, type, reason }) => `${kind} ${name} ${type} ${reason}`)
    .toSorted();
}

/** A control plane whose server hands out nothing: it stores whatever Services and addresses it is given. */
async function withoutAllocator(body: (plane: ControlPlane, client: Client) => Promise<void>): Promise<void> {
  await using plane = await startControlPlane([ipAddressRepair]);
  await plane.client.create(ServiceCIDR, { metadata: { name: 'all' }, spec: { cidrs: ['10.9.0.0/24'] } });
  await body(plane, plane.client);
}

test('what nobody has touched stays as it is, and nothing is told', async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ nodes: 0, simulated: 0, clock });
  const { client } = cluster;
  const make = (i: number) => client.create(Service, { metadata: { namespace, name: `s${i}` }, spec: { ports: [{ port: 80 }] } });
  await Promise.all(Array.from({ length: 20 }, (_, i) => make(i)));
  await clock.advance(120_000);
  await Promise.all(Array.from({ length: 10 }, (_, i) => client.delete(Service, { namespace, name: `s${i}` })));
  await client.patch(
    Service,
    { namespace, name: 's11' },
    { type: 'merge', body: { spec: { type: 'ExternalName', externalName: 'a.b', clusterIP: null } } },
  );
  await clock.advance(120_000);
  assert.deepEqual((await records(client)).map((line) => line.split(' ')[1]).filter((name) => name?.startsWith('s')).length, 9);
  assert.deepEqual(await told(client), []);
});

test('with its own rights, in a whole cluster: a deleted address comes again, a leaked one goes after a minute', async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ nodes: 0, simulated: 0, clock });
  const { client } = cluster;
  const before = await records(client);
  await serve(client, 'web', '10.96.0.77');
  await client.delete(IPAddress, { name: '10.96.0.77' });
  await record(client, '10.96.0.78', 'gone');
  await clock.advance(50_000);
  assert.deepEqual((await records(client)).toSorted(), [...before, '10.96.0.77 web', '10.96.0.78 gone'].toSorted());
  await clock.advance(20_000);
  assert.deepEqual((await records(client)).toSorted(), [...before, '10.96.0.77 web'].toSorted());
  assert.deepEqual(await told(client), ['IPAddress 10.96.0.78 Warning IPAddressNotAllocated', 'Service web Warning ClusterIPNotAllocated']);
});

test('a record without its labels, and one that names another Service, are made anew', () =>
  withoutAllocator(async (plane, client) => {
    await record(client, '10.9.0.1', 'one', {});
    await record(client, '10.9.0.2', 'one');
    await serve(client, 'one', '10.9.0.1');
    await serve(client, 'two', '10.9.0.2');
    await plane.settle();
    assert.deepEqual(await records(client), ['10.9.0.1 one', '10.9.0.2 two']);
    assert.deepEqual(await told(client), ['IPAddress 10.9.0.2 Warning IPAddressWrongReference']);
  }));

test('of two Services with one address the one that came first keeps it, and gives it over when it goes', () =>
  withoutAllocator(async (plane, client) => {
    await serve(client, 'first', '10.9.0.1');
    await plane.tick(2);
    await serve(client, 'second', '10.9.0.1');
    await plane.settle();
    assert.deepEqual(await records(client), ['10.9.0.1 first']);
    assert.deepEqual(await told(client), [
      'Service first Warning ClusterIPNotAllocated',
      'Service second Warning ClusterIPAlreadyAllocated',
    ]);
    await client.delete(Service, { namespace, name: 'first' });
    await plane.settle();
    assert.deepEqual(await records(client), ['10.9.0.1 second']);
  }));

test('an address of no ServiceCIDR is told once the last that gave it out has gone, and mended when one comes', () =>
  withoutAllocator(async (plane, client) => {
    await serve(client, 'far', '10.8.0.1');
    await plane.settle();
    assert.deepEqual([await records(client), await told(client)], [[], ['Service far Warning ClusterIPOutOfRange']]);
    await client.create(ServiceCIDR, { metadata: { name: 'more' }, spec: { cidrs: ['10.8.0.0/24'] } });
    await plane.settle();
    assert.deepEqual(await records(client), ['10.8.0.1 far']);
  }));
