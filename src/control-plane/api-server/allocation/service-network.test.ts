import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../../../api/generated/core-v1.ts';
import { IPAddress, Service, ServiceCIDR } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { createApiServer } from '../api-server.ts';
import { parseRange } from './address-range.ts';
import { kubernetesServiceIP, serviceNetwork } from './service-network.ts';

const made = { uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' };
const service = (name: string, spec: ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...made, namespace: 'a', name } as Service['metadata'],
  spec: { type: 'ClusterIP', ports: [{ port: 80 }], ...spec },
  status: {},
});

interface Network extends AsyncDisposable {
  readonly client: Client;
  /** Creates it, or updates the one of its name. */
  write(given: Service, options?: { readonly dryRun?: boolean }): Promise<Service>;
}

/** An API server with nothing but allocation. */
async function networkOf(
  options: { cidrs?: readonly string[]; ports?: { from: number; to: number } } = {},
  ...stored: Service[]
): Promise<Network> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const storage = openMemoryStore({ clock });
  for (const each of stored) {
    const { namespace, name } = each.metadata;
    await storage.commit([{ key: `/registry/services/specs/${namespace}/${name}`, put: Buffer.from(JSON.stringify(each)) }]);
  }
  const stack = new AsyncDisposableStack();
  stack.use(storage);
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock,
    random,
    log: silentLog,
    async parts({ reader, ops, claims }) {
      const { fields, clusterIPs, nodePorts } = serviceNetwork({ reader, ops, claims, random, ...options });
      stack.use(clusterIPs);
      return { admission: [fields], allocators: [clusterIPs, nodePorts] };
    },
  });
  stack.use(server);
  const client = server.loopback;
  return {
    client,
    async write(given, how) {
      const { namespace, name } = given.metadata;
      const old = await client.get(Service, { namespace, name }).catch(() => undefined);
      if (!old) return client.create(Service, given, how);
      const { resourceVersion, uid, creationTimestamp } = old.metadata;
      return client.update(Service, { ...given, metadata: { ...given.metadata, resourceVersion, uid, creationTimestamp } }, how);
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

async function message(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
  return 'no error';
}

const addresses = async ({ client }: Network): Promise<readonly string[]> =>
  (await client.list(IPAddress)).items.map(
    ({ metadata, spec }) => `${metadata.name} ${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`,
  );

const refused: readonly {
  name: string;
  options?: Parameters<typeof networkOf>[0];
  stored?: ServiceSpec;
  given: ServiceSpec;
  want: string;
}[] = [
  {
    name: 'an address that is taken',
    stored: { clusterIP: '10.96.0.77', clusterIPs: ['10.96.0.77'] },
    given: { clusterIP: '10.96.0.77' },
    want: 'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
  },
  ...['10.97.0.77', '10.96.0.0', '10.96.255.255'].map((address) => ({
    name: `an address outside: ${address}`,
    given: { clusterIP: address },
    want: `Service "b" is invalid: spec.clusterIPs: Invalid value: ["${address}"]: failed to allocate IP ${address}: the provided network does not match the current range`,
  })),
  {
    name: 'a node port that is taken',
    stored: { type: 'NodePort', ports: [{ port: 80, nodePort: 30077 }] },
    given: { type: 'NodePort', ports: [{ port: 80, nodePort: 30077 }] },
    want: 'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30077: provided port is already allocated',
  },
  {
    name: 'a node port for two ports of a new Service',
    given: {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 80, nodePort: 30077 },
        { name: 'b', port: 81, nodePort: 30077, protocol: 'UDP' },
      ],
    },
    want: 'Service "b" is invalid: spec.ports[1].nodePort: Invalid value: 30077: provided port is already allocated',
  },
  {
    name: 'two addresses of one family',
    given: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', '10.96.0.8'], ipFamilyPolicy: 'PreferDualStack' },
    want: 'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family',
  },
  {
    name: 'a node port outside',
    given: { type: 'NodePort', ports: [{ port: 80, nodePort: 29999 }] },
    want: 'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767',
  },
  {
    name: 'a family that the cluster lacks',
    given: { clusterIP: 'fd00::1' },
    want: 'Service "b" is invalid: spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  },
  {
    name: 'two families on one',
    given: { ipFamilyPolicy: 'RequireDualStack' },
    want: 'Service "b" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  },
  {
    name: 'a full range',
    options: { cidrs: ['10.0.0.0/30'] },
    stored: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
    given: {},
    want: 'Internal error occurred: failed to allocate a serviceIP for Service "b": range is full',
  },
];
for (const { name, options, stored, given, want } of refused) {
  test(`allocation refuses ${name}`, async () => {
    await using network = await networkOf(options, ...(stored ? [service('a', stored)] : []));
    assert.equal(await message(network.write(service('b', given))), want);
  });
}

const completed: readonly { name: string; given: ServiceSpec; want: Partial<ServiceSpec>; cidrs?: readonly string[] }[] = [
  { name: 'headless', given: { clusterIP: 'None', selector: { a: 'b' } }, want: { clusterIPs: ['None'], ipFamilies: ['IPv4'] } },
  {
    name: 'headless without selector',
    given: { clusterIP: 'None' },
    want: { clusterIPs: ['None'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
  },
  {
    name: 'an external name',
    given: { type: 'ExternalName', externalName: 'x' },
    want: { type: 'ExternalName', externalName: 'x' },
  },
  {
    name: 'an address that was asked for',
    given: { clusterIP: '10.96.0.10' },
    want: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  },
  {
    name: 'both families',
    cidrs: ['fd00:1::/112', '10.96.0.0/30'],
    given: { ipFamilyPolicy: 'PreferDualStack', clusterIPs: ['fd00:1::5'], clusterIP: 'fd00:1::5' },
    want: { ipFamilies: ['IPv6', 'IPv4'] },
  },
];
for (const { name, given, want, cidrs } of completed) {
  test(`allocation completes ${name}`, async () => {
    await using network = await networkOf(cidrs ? { cidrs } : {});
    const { spec } = await network.write(service('b', given));
    assert.deepEqual({ ...spec, ...want }, spec);
    if (spec.type === 'ExternalName') assert.equal(spec.clusterIP, undefined);
    else assert.equal(spec.clusterIP, spec.clusterIPs?.[0]);
    if (cidrs) assert.match(spec.clusterIPs?.[1] ?? '', /^10\.96\.0\.[12]$/);
  });
}

test('addresses come from behind the static band until it is all that is left', async () => {
  await using network = await networkOf({ cidrs: ['10.0.0.0/27'] });
  const numbers: number[] = [];
  for (let i = 0; i < 30; i++) numbers.push(Number((await network.write(service(`s${i}`, {}))).spec.clusterIP?.split('.')[3]));
  assert.ok(numbers.slice(0, 14).every((number) => number > 16));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
});

test('what a Service held is free again when it was a dry run, or the Service changes or goes', async () => {
  await using network = await networkOf({ cidrs: ['10.0.0.0/30'], ports: { from: 30000, to: 30001 } });
  const nodePort = service('a', {
    type: 'NodePort',
    ports: [{ port: 80 }, { name: 'b', port: 81 }].map((port, i) => ({ name: `p${i}`, ...port })),
  });
  await network.write(nodePort, { dryRun: true });
  assert.deepEqual(await addresses(network), []);
  const stored = await network.write(nodePort);
  assert.deepEqual(stored.spec.ports?.map((port) => port.nodePort).sort(), [30000, 30001]);
  assert.deepEqual(await addresses(network), [`${stored.spec.clusterIP} a/a`]);
  assert.equal(
    await message(network.write(service('c', { type: 'NodePort', ports: [{ port: 1 }] }))),
    'Internal error occurred: failed to allocate a nodePort: range is full',
  );
  await network.write(service('a', { ...stored.spec, type: 'ClusterIP', ports: [{ port: 80 }] }));
  await network.write(service('c', { type: 'NodePort', ports: [{ port: 1 }] }));
  assert.equal((await addresses(network)).length, 2);
  await network.client.delete(Service, { namespace: 'a', name: 'a' });
  await network.write(service('d', { ports: [{ port: 1 }] }));
  await network.write(service('d', { type: 'ExternalName', externalName: 'x.y' }));
  assert.deepEqual(
    (await addresses(network)).map((each) => each.split(' ')[1]),
    ['a/c'],
  );
});

test('a store of before there were claims and IPAddresses gets them at the start', async () => {
  const ports = [{ port: 80, nodePort: 30000 }];
  const old = service('old', { type: 'NodePort', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports });
  const double = service('double', { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] });
  await using network = await networkOf({ cidrs: ['10.0.0.0/30'], ports: { from: 30000, to: 30001 } }, old, double);
  assert.deepEqual(await addresses(network), ['10.0.0.1 a/double']);
  assert.match(await message(network.write(service('b', { type: 'NodePort', ports }))), /provided port is already allocated/);
  await network.client.delete(Service, { namespace: 'a', name: 'double' });
  assert.match(await message(network.write(service('c', { clusterIP: '10.0.0.1' }))), /provided IP is already allocated/);
  await network.client.delete(Service, { namespace: 'a', name: 'old' });
  assert.deepEqual(await addresses(network), []);
  assert.equal((await network.write(service('b', { type: 'NodePort', ports }))).spec.ports?.[0]?.nodePort, 30000);
});

test('a deleted IPAddress, or one that somebody made, gives no Service another\u2019s address', async () => {
  await using network = await networkOf({ cidrs: ['10.0.0.0/30'] });
  const first = await network.write(service('a', { clusterIP: '10.0.0.1' }));
  await network.client.delete(IPAddress, { name: first.spec.clusterIP ?? '' });
  await network.client.create(IPAddress, {
    metadata: { name: '10.0.0.2' },
    spec: { parentRef: { group: 'example.com', resource: 'things', name: 'x' } },
  });
  assert.match(await message(network.write(service('b', {}))), /range is full/);
});

test('an update that leaves values out keeps them', async () => {
  await using network = await networkOf();
  const first = await network.write(service('a', { type: 'NodePort', ports: [{ name: 'x', port: 80 }] }));
  const second = await network.write(service('a', { type: 'NodePort', ports: [{ name: 'x', port: 8080 }] }));
  assert.equal(second.spec.clusterIP, first.spec.clusterIP);
  assert.equal(second.spec.ports?.[0]?.nodePort, first.spec.ports?.[0]?.nodePort);
});

test('ports of one number share a node port across protocols', async () => {
  await using network = await networkOf();
  const { spec } = await network.write(
    service('dns', {
      type: 'NodePort',
      ports: [
        { name: 'udp', port: 53, protocol: 'UDP' },
        { name: 'tcp', port: 53, protocol: 'TCP', nodePort: 30053 },
      ],
    }),
  );
  assert.deepEqual(
    spec.ports?.map((port) => port.nodePort),
    [30053, 30053],
  );
});

test('a ServiceCIDR that becomes ready is used, and finds what is taken in it', async () => {
  await using network = await networkOf({ cidrs: ['10.0.0.0/30'] }, service('odd', { clusterIP: '10.1.0.1', clusterIPs: ['10.1.0.1'] }));
  await network.write(service('a', {}));
  await network.write(service('b', {}));
  await network.client.create(ServiceCIDR, { metadata: { name: 'more' }, spec: { cidrs: ['10.1.0.0/30'] } });
  const ready = (status: 'True' | 'False') => ({
    status: { conditions: [{ type: 'Ready', status, reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  });
  const say = (status: 'True' | 'False') =>
    network.client.patch(ServiceCIDR, { name: 'more' }, { type: 'merge', body: ready(status) }, { subresource: 'status' });
  await say('False');
  assert.match(await message(network.write(service('c', {}))), /range is full/);
  await say('True');
  assert.equal((await network.write(service('c', {}))).spec.clusterIP, '10.1.0.2');
});

test('a ServiceCIDR of which nobody has said whether it is ready is used', async () => {
  await using network = await networkOf();
  await network.client.create(ServiceCIDR, { metadata: { name: 'more' }, spec: { cidrs: ['10.1.0.0/30'] } });
  assert.equal((await network.write(service('a', { clusterIP: '10.1.0.2' }))).spec.clusterIP, '10.1.0.2');
});

test('the IPAddress of a Service is as upstream’s', async () => {
  await using network = await networkOf();
  await network.write(service('a', { clusterIP: '10.96.0.7' }));
  const [{ metadata, spec } = assert.fail()] = (await network.client.list(IPAddress)).items;
  const labels = { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
  assert.deepEqual([metadata.name, metadata.labels], ['10.96.0.7', labels]);
  assert.deepEqual(spec, { parentRef: { resource: 'services', namespace: 'a', name: 'a' } });
});

const ranges: readonly { cidr: string; size: number; staticSize: number; first: string; last: string }[] = [
  { cidr: '10.96.0.0/16', size: 65534, staticSize: 256, first: '10.96.0.1', last: '10.96.255.254' },
  { cidr: '10.96.0.0/28', size: 14, staticSize: 0, first: '10.96.0.1', last: '10.96.0.14' },
  { cidr: '10.96.0.0/27', size: 30, staticSize: 16, first: '10.96.0.1', last: '10.96.0.30' },
  { cidr: 'fd00::/112', size: 65535, staticSize: 256, first: 'fd00::1', last: 'fd00::ffff' },
];
for (const { cidr, size, staticSize, first, last } of ranges) {
  test(`the addresses of ${cidr}`, () => {
    const range = parseRange(cidr);
    assert.deepEqual([range.size, range.staticSize, range.addressAt(0), range.addressAt(size - 1)], [size, staticSize, first, last]);
    assert.equal(range.indexOf(last), size - 1);
    assert.equal(kubernetesServiceIP([cidr]), first);
  });
}
