/** Clients that make, change and delete Services, in a range so small that they meet; and who has what in the end. */
import assert from 'node:assert/strict';
import type { ServicePort } from '../../../src/api/generated/core-v1.ts';
import { IPAddress, Service } from '../../../src/api/generated/kinds.ts';
import type { Client } from '../../../src/client/client.ts';
import { attempt, expectGone, expectSeen, expectTold, nodePortRange, type World } from './world.ts';

const namespace = 'default';
const conflict = /^409 Conflict: /;
const takenOrFull = [
  /^422 Invalid: .*failed to allocate IP .*: provided IP is already allocated/,
  /^422 Invalid: .*provided port is already allocated/,
  /^500 InternalError: .*failed to allocate a .*: range is full/,
];

type Spec = Service['spec'];

/** One client with one Service of its own: makes it, changes it some times, deletes it. */
export async function useService(world: World, name: string): Promise<void> {
  const { here, there } = world.pick();
  const made = await attempt(here.create(Service, { metadata: { namespace, name }, spec: randomSpec(world) }), ...takenOrFull);
  if (!made) return;
  let service = made;
  await expectSeen(world, there, Service, service);
  for (let changes = world.below(3); changes > 0; changes--) service = await changeService(world, service);
  if (world.below(4) === 0) return;
  const last = world.pick();
  await last.here.delete(Service, { namespace, name });
  if (world.below(2)) await expectGone(last.there, Service, service);
  else await expectTold(last.there, Service, service, 'DELETED');
}

function randomSpec(world: World): Spec {
  const ports = [{ name: 'a', port: 80 }, ...(world.below(3) ? [] : [{ name: 'b', port: 81 }])];
  const nodePort = nodePortRange.from + world.below(nodePortRange.to - nodePortRange.from + 1);
  const dual = world.below(3) ? {} : { ipFamilyPolicy: world.oneOf(['PreferDualStack', 'RequireDualStack'] as const) };
  switch (world.below(7)) {
    case 0:
      return { type: 'ExternalName', externalName: 'example.com' };
    case 1:
      return { clusterIP: 'None', ports };
    case 2:
      return { clusterIP: `10.96.0.${2 + world.below(13)}`, ports };
    case 3:
      return { type: 'NodePort', ports, ...dual };
    case 4:
      return { type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort }] };
    case 5:
      return { type: 'LoadBalancer', ports, ...dual };
    default:
      return { ports, ...dual };
  }
}

async function changeService(world: World, service: Service): Promise<Service> {
  const { here, there } = world.pick();
  const changed = await attempt(here.update(Service, { ...service, spec: changedSpec(world, service.spec) }), ...takenOrFull);
  if (!changed) return service;
  if (changed.metadata.resourceVersion !== service.metadata.resourceVersion) {
    // What is older now is refused on the other server, whoever has the newer one.
    const stale = { ...service, metadata: { ...service.metadata, labels: { stale: 'true' } } };
    assert.equal(await attempt(there.update(Service, stale), conflict), undefined, 'an update of what was seen before');
    if (world.below(2)) await expectTold(there, Service, service, changed);
  }
  await expectSeen(world, there, Service, changed);
  return changed;
}

function changedSpec(world: World, { ports: old = [], ...spec }: Spec): Spec {
  const ports: readonly ServicePort[] = (old.length ? old : [{ port: 80 } as ServicePort]).map(({ nodePort: _, ...port }) => port);
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, ...rest } = spec;
  const first = { clusterIP: clusterIP ?? '', clusterIPs: (clusterIPs ?? []).slice(0, 1) };
  if (clusterIP === 'None') return { ...spec, ports: old.map((port, i) => ({ ...port, port: 90 + i + world.below(5) * 2 })) };
  if (spec.type === 'ExternalName') return { type: 'ClusterIP', ports };
  switch (world.below(5)) {
    case 0:
      return { type: 'ExternalName', externalName: 'example.org' };
    case 1:
      return { ...spec, type: 'ClusterIP', ports };
    case 2:
      return { ...spec, type: 'NodePort', ports };
    case 3:
      return { ...rest, ...first, ports: old, ipFamilies: (ipFamilies ?? []).slice(0, 1), ipFamilyPolicy: 'SingleStack' };
    default:
      return { ...spec, ports: old, ipFamilyPolicy: 'PreferDualStack' };
  }
}

/** No address and no port is held twice; IPAddress objects are those of the Services, and no others. */
export async function expectNothingTwice(client: Client): Promise<void> {
  const services = (await client.list(Service)).items;
  const addresses = services.flatMap(({ metadata, spec }) =>
    spec.type === 'ExternalName'
      ? []
      : (spec.clusterIPs ?? [])
          .filter((address) => address !== 'None')
          .map((address) => `${address} ${metadata.namespace}/${metadata.name}`),
  );
  assert.deepEqual(twice(addresses), [], 'addresses of two Services');
  const ports = services.flatMap(({ metadata, spec }) => {
    const own = (spec.ports ?? []).flatMap(({ nodePort, protocol }) => (nodePort ? [`${protocol}:${nodePort}`] : []));
    return own.map((port) => `${port} ${metadata.namespace}/${metadata.name}`);
  });
  assert.deepEqual(twice(ports), [], 'node ports of two Services');
  const held = (await client.list(IPAddress)).items.map(({ metadata, spec: { parentRef } }) => {
    assert.deepEqual([parentRef?.group ?? '', parentRef?.resource], ['', 'services']);
    return `${metadata.name} ${parentRef?.namespace}/${parentRef?.name}`;
  });
  assert.deepEqual(held.toSorted(), addresses.toSorted(), 'IPAddress objects and Services');
}

/** Those of the lines `what who` whose first word comes twice. */
function twice(lines: readonly string[]): readonly string[] {
  const first = lines.map((line) => line.split(' ')[0]);
  return lines.filter((line, i) => first.indexOf(line.split(' ')[0]) !== i);
}
