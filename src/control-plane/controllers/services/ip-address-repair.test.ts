import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, Service } from '../../../api/generated/kinds.ts';
import { type AddressView, planRepair, type RepairStep } from './ip-address-repair.ts';

const nowMs = Date.parse('2026-01-01T00:10:00Z');
const before = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString();
const address = '10.96.0.7';
const allocated = { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };

const service = (name: string, { ips = [address], ageSeconds = 300, type = 'ClusterIP' } = {}): Service =>
  ({
    kind: 'Service',
    metadata: { namespace: 'shop', name, creationTimestamp: before(ageSeconds) },
    spec: { type, clusterIPs: ips },
  }) as unknown as Service;
const record = (parent: object | undefined, { ageSeconds = 300, labels = allocated as object, name = address } = {}): IPAddress =>
  ({
    kind: 'IPAddress',
    metadata: { name, labels, creationTimestamp: before(ageSeconds) },
    spec: { parentRef: parent },
  }) as unknown as IPAddress;
const ref = (name: string) => ({ group: '', resource: 'services', namespace: 'shop', name });

const shown = (step: RepairStep): string => {
  if (step.do === 'tell') return `${step.about.kind} ${step.about.metadata.name} ${step.reason}: ${step.message}`;
  if (step.do === 'create') return `create for ${step.service.metadata.name}`;
  return step.do === 'wait' ? `wait ${step.ms / 1000} s` : 'remove';
};

const web = service('web');
const rows: readonly { name: string; given: Partial<AddressView>; want: readonly string[] }[] = [
  { name: 'all is well', given: { holders: [web], named: web, record: record(ref('web')) }, want: [] },
  { name: 'nobody has it', given: {}, want: [] },
  {
    name: 'a Service without its record',
    given: { holders: [web] },
    want: ['Service web ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.7 is not allocated; repairing', 'create for web'],
  },
  {
    name: 'the same of IPv6',
    given: { address: 'fd00::7', holders: [service('six', { ips: ['fd00::7'] })] },
    want: ['Service six ClusterIPNotAllocated: Cluster IP [IPv6]: fd00::7 is not allocated; repairing', 'create for six'],
  },
  {
    name: 'a record that names another sort of thing',
    given: { holders: [web], record: record({ group: 'gateway.networking.k8s.io', resource: 'gateways', namespace: 'shop', name: 'web' }) },
    want: [
      'Service web ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.7 for Service shop/web has a wrong reference; repairing',
      'remove',
      'create for web',
    ],
  },
  {
    name: 'a record that names a Service that is not there',
    given: { holders: [web], record: record(ref('gone')) },
    want: [
      'Service web ClusterIPNotAllocated: the ClusterIP [IPv4]: 10.96.0.7 for Service shop/web has a wrong reference; repairing',
      'remove',
      'create for web',
    ],
  },
  {
    name: 'a record that names a Service with another address',
    given: { holders: [web], named: service('other', { ips: ['10.96.0.8'] }), record: record(ref('other')) },
    want: [
      'IPAddress 10.96.0.7 IPAddressWrongReference: IPAddress: 10.96.0.7 for Service shop/other has a wrong reference; cleaning up',
      'remove',
      'create for web',
    ],
  },
  {
    name: 'a record without the family',
    given: {
      holders: [web],
      named: web,
      record: record(ref('web'), { labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } }),
    },
    want: ['remove', 'create for web'],
  },
  {
    name: 'a record of the other family',
    given: {
      holders: [web],
      named: web,
      record: record(ref('web'), { labels: { ...allocated, 'ipaddress.kubernetes.io/ip-family': 'IPv6' } }),
    },
    want: ['remove', 'create for web'],
  },
  {
    name: 'a record of nobody’s, but held',
    given: { holders: [web], named: web, record: record(ref('web'), { labels: {} }) },
    want: ['remove', 'create for web'],
  },
  {
    name: 'a label of somebody’s own beside them',
    given: { holders: [web], named: web, record: record(ref('web'), { labels: { ...allocated, team: 'a' } }) },
    want: [],
  },
  {
    name: 'two Services, and the record names the younger',
    given: { holders: [service('old', { ageSeconds: 900 }), web], named: web, record: record(ref('web')) },
    want: ['Service old ClusterIPAlreadyAllocated: Cluster IP [IPv4]:10.96.0.7 was assigned to multiple services; please recreate service'],
  },
  {
    name: 'two Services without a record: the older gets it',
    given: { holders: [web, service('old', { ageSeconds: 900 })] },
    want: [
      'Service old ClusterIPNotAllocated: Cluster IP [IPv4]: 10.96.0.7 is not allocated; repairing',
      'create for old',
      'Service web ClusterIPAlreadyAllocated: Cluster IP [IPv4]:10.96.0.7 was assigned to multiple services; please recreate service',
    ],
  },
  {
    name: 'an address of no ServiceCIDR, with or without a record',
    given: { holders: [web], inRange: false },
    want: [
      'Service web ClusterIPOutOfRange: Cluster IP [IPv4]: 10.96.0.7 is not within any configured Service CIDR; please recreate service',
    ],
  },
  {
    name: 'another manager’s',
    given: { record: record({ resource: 'gateways', name: 'g' }, { labels: { 'ipaddress.kubernetes.io/managed-by': 'me' } }) },
    want: [],
  },
  { name: 'nobody’s', given: { record: record(ref('gone'), { labels: {} }) }, want: [] },
  {
    name: 'the allocator’s, which names another sort of thing',
    given: { record: record({ group: 'g', resource: 'r', namespace: 'n', name: 'x' }, { ageSeconds: 1 }) },
    want: [
      'IPAddress 10.96.0.7 IPAddressNotAllocated: IPAddress 10.96.0.7 appears to have been modified, not referencing a Service &ParentReference{Group:g,Resource:r,Namespace:n,Name:x,}: cleaning up',
      'remove',
    ],
  },
  { name: 'its Service may still come', given: { record: record(ref('web'), { ageSeconds: 20 }) }, want: ['wait 40 s'] },
  {
    name: 'its Service has not come',
    given: { record: record(ref('web'), { ageSeconds: 61 }) },
    want: [
      'IPAddress 10.96.0.7 IPAddressNotAllocated: IPAddress: 10.96.0.7 for Service shop/web appears to have leaked: cleaning up',
      'remove',
    ],
  },
  {
    name: 'its Service may get it back',
    given: { named: service('web', { type: 'ExternalName', ips: [] }), record: record(ref('web'), { ageSeconds: 20 }) },
    want: ['wait 40 s'],
  },
  {
    name: 'it is newer than its Service, and may be taken back',
    given: { named: service('web', { ips: ['10.96.0.8'] }), record: record(ref('web'), { ageSeconds: 2 }) },
    want: ['wait 3 s'],
  },
  {
    name: 'its Service has another address',
    given: { named: service('web', { ips: ['10.96.0.8'] }), record: record(ref('web')) },
    want: [
      'IPAddress 10.96.0.7 IPAddressWrongReference: IPAddress: 10.96.0.7 for Service shop/web has a wrong reference; cleaning up',
      'remove',
    ],
  },
  {
    name: 'it is older than its Service, which has another',
    given: { named: service('web', { ips: [], ageSeconds: 1 }), record: record(ref('web'), { ageSeconds: 2 }) },
    want: [
      'IPAddress 10.96.0.7 IPAddressWrongReference: IPAddress: 10.96.0.7 for Service shop/web has a wrong reference; cleaning up',
      'remove',
    ],
  },
];

for (const { name, given, want } of rows) {
  test(`an address: ${name}`, () => {
    const view: AddressView = { address, record: undefined, named: undefined, holders: [], inRange: true, nowMs, ...given };
    assert.deepEqual(planRepair(view).map(shown), want);
  });
}
