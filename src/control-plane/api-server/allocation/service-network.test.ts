import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../../../api/generated/core-v1.ts';
import { Service, ServiceCIDR } from '../../../api/generated/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import { seededRandom } from '../../../client/clock.ts';
import { kindOf } from '../admission/test-request.ts';
import { ObjectMap } from '../object-map.ts';
import type { AdmissionRequest } from '../request.ts';
import { parseRange } from './address-range.ts';
import { kubernetesServiceIP, serviceNetwork } from './service-network.ts';

const kind = kindOf(Service);
const made = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const service = (name: string, spec: ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...made, namespace: 'a', name },
  spec: { type: 'ClusterIP', ...spec },
  status: {},
});

interface Network {
  readonly objects: ObjectMap;
  write(given: Service, options?: { fails?: boolean; dryRun?: boolean }): Service;
}

/** The steps of a write that concern allocation, and the store. */
function networkOf(options: { cidrs?: readonly string[]; ports?: { from: number; to: number } } = {}, ...stored: Service[]): Network {
  const objects = new ObjectMap().put(Service, ...stored);
  const { fields, clusterIPs, nodePorts } = serviceNetwork({ reader: objects, random: seededRandom(1), ...options });
  return {
    objects,
    write(given, { fails = false, dryRun = false } = {}) {
      const { namespace, name } = given.metadata;
      const oldObject = objects.get(Service, { namespace, name });
      const base = { operation: oldObject ? 'UPDATE' : 'CREATE', kind, namespace, name, user: { name: 'x', groups: [] }, dryRun } as const;
      const request = (object: KubeObject): AdmissionRequest => ({
        ...base,
        object,
        ...(oldObject && { oldObject }),
        warn: () => {},
        annotate: () => {},
      });
      const completed = (fields.admit?.(request(given)) as KubeObject | undefined) ?? given;
      const withIPs = clusterIPs.allocate(request(completed));
      let result: Service;
      try {
        result = nodePorts.allocate(request(withIPs)) as Service;
      } catch (error) {
        clusterIPs.release(withIPs);
        throw error;
      }
      if (fails) for (const allocator of [clusterIPs, nodePorts]) allocator.release(result);
      else if (!dryRun) objects.put(Service, result);
      return result;
    },
  };
}

const message = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (isStatusError(error)) return error.message;
    throw error;
  }
  return 'no error';
};

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
  test(`allocation refuses ${name}`, () => {
    const network = networkOf(options, ...(stored ? [service('a', stored)] : []));
    assert.equal(
      message(() => network.write(service('b', given))),
      want,
    );
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
  test(`allocation completes ${name}`, () => {
    const { spec } = networkOf(cidrs ? { cidrs } : {}).write(service('b', given));
    assert.deepEqual({ ...spec, ...want }, spec);
    if (spec.type === 'ExternalName') assert.equal(spec.clusterIP, undefined);
    else assert.equal(spec.clusterIP, spec.clusterIPs?.[0]);
    if (cidrs) assert.match(spec.clusterIPs?.[1] ?? '', /^10\.96\.0\.[12]$/);
  });
}

test('addresses come from behind the static band until it is all that is left', () => {
  const network = networkOf({ cidrs: ['10.0.0.0/27'] });
  const numbers = Array.from({ length: 30 }, (_, i) => Number(network.write(service(`s${i}`, {})).spec.clusterIP?.split('.')[3]));
  assert.ok(numbers.slice(0, 14).every((number) => number > 16));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
});

test('what a write held is free again when it fails, was a dry run, or the Service changes or goes', () => {
  const network = networkOf({ cidrs: ['10.0.0.0/30'], ports: { from: 30000, to: 30001 } });
  const nodePort = service('a', { type: 'NodePort', ports: [{ port: 80 }, { name: 'b', port: 81 }] });
  network.write(nodePort, { fails: true });
  network.write(nodePort, { dryRun: true });
  const stored = network.write(nodePort);
  assert.deepEqual(stored.spec.ports?.map((port) => port.nodePort).sort(), [30000, 30001]);
  assert.equal(
    message(() => network.write(service('c', { type: 'NodePort', ports: [{ port: 1 }] }))),
    'Internal error occurred: failed to allocate a nodePort: range is full',
  );
  network.write(service('a', { ...stored.spec, type: 'ClusterIP', ports: [{ port: 80 }] }));
  network.write(service('c', { type: 'NodePort', ports: [{ port: 1 }] }));
  network.objects.delete(Service, { namespace: 'a', name: 'a' });
  network.write(service('d', {}));
});

test('an update that leaves values out keeps them', () => {
  const network = networkOf();
  const first = network.write(service('a', { type: 'NodePort', ports: [{ name: 'x', port: 80 }] }));
  const second = network.write(service('a', { type: 'NodePort', ports: [{ name: 'x', port: 8080 }] }));
  assert.equal(second.spec.clusterIP, first.spec.clusterIP);
  assert.equal(second.spec.ports?.[0]?.nodePort, first.spec.ports?.[0]?.nodePort);
});

test('ports of one number share a node port across protocols', () => {
  const { spec } = networkOf().write(
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

test('a ServiceCIDR that becomes ready is used, and finds what is taken in it', () => {
  const network = networkOf({ cidrs: ['10.0.0.0/30'] }, service('odd', { clusterIP: '10.1.0.1', clusterIPs: ['10.1.0.1'] }));
  network.write(service('a', {}));
  network.write(service('b', {}));
  const cidr: ServiceCIDR = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { ...made, name: 'more' },
    spec: { cidrs: ['10.1.0.0/30'] },
    status: { conditions: [{ type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  };
  network.objects.put(ServiceCIDR, cidr);
  assert.equal(network.write(service('c', {})).spec.clusterIP, '10.1.0.2');
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
