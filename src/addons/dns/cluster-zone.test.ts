import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordType } from 'dns-packet';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { ClusterZone, type ZoneSource } from './cluster-zone.ts';

const meta = (name: string, labels?: Record<string, string>) => ({
  name,
  namespace: 'shop',
  uid: 'u',
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...(labels && { labels }),
});
const service = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name),
  spec,
  status: {},
});

const services = [
  service('web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }),
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] }),
  service('outside', { type: 'ExternalName', externalName: 'example.org' }),
  service('empty', { clusterIP: 'None' }),
];
const dbSlice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta('db-x', { 'kubernetes.io/service-name': 'db' }),
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.6'], conditions: {} },
    { addresses: ['10.244.0.7'], conditions: { ready: false } },
  ],
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
};
const source: ZoneSource = {
  service: (namespace, name) => services.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
  hasNamespace: (namespace) => namespace === 'shop',
  slices: (_namespace, name) => (name === 'db' ? [dbSlice] : []),
  serviceByIP: (ip) => services.find((s) => s.spec.clusterIP === ip),
  sliceByIP: (ip) => (dbSlice.endpoints?.some((e) => e.addresses.includes(ip)) ? [dbSlice] : []),
};
const zone = new ClusterZone('cluster.local', source);

const cases: { name: string; ask: [string, RecordType]; want: unknown }[] = [
  { name: 'service', ask: ['web.shop.svc.cluster.local', 'A'], want: ['10.96.0.7'] },
  { name: 'any case', ask: ['WEB.Shop.svc.Cluster.Local', 'A'], want: ['10.96.0.7'] },
  { name: 'no IPv6 address is no error', ask: ['web.shop.svc.cluster.local', 'AAAA'], want: [] },
  {
    name: 'SRV of a service',
    ask: ['_http._tcp.web.shop.svc.cluster.local', 'SRV'],
    want: [{ port: 80, target: 'web.shop.svc.cluster.local', priority: 0, weight: 100 }],
  },
  { name: 'SRV of another protocol', ask: ['_http._udp.web.shop.svc.cluster.local', 'SRV'], want: 'NXDOMAIN' },
  { name: 'below a service with an address', ask: ['x.web.shop.svc.cluster.local', 'A'], want: 'NXDOMAIN' },
  { name: 'headless: ready endpoints', ask: ['db.shop.svc.cluster.local', 'A'], want: ['10.244.0.5', '10.244.0.6'] },
  { name: 'headless: by hostname', ask: ['db-0.db.shop.svc.cluster.local', 'A'], want: ['10.244.0.5'] },
  { name: 'headless: by address', ask: ['10-244-0-6.db.shop.svc.cluster.local', 'A'], want: ['10.244.0.6'] },
  { name: 'headless: an endpoint that is not ready', ask: ['10-244-0-7.db.shop.svc.cluster.local', 'A'], want: 'NXDOMAIN' },
  {
    name: 'headless: SRV',
    ask: ['_sql._tcp.db.shop.svc.cluster.local', 'SRV'],
    want: [
      { port: 5432, target: 'db-0.db.shop.svc.cluster.local', priority: 0, weight: 50 },
      { port: 5432, target: '10-244-0-6.db.shop.svc.cluster.local', priority: 0, weight: 50 },
    ],
  },
  { name: 'headless without endpoints exists', ask: ['empty.shop.svc.cluster.local', 'A'], want: [] },
  { name: 'ExternalName', ask: ['outside.shop.svc.cluster.local', 'A'], want: ['example.org'] },
  { name: 'no such service', ask: ['nothing.shop.svc.cluster.local', 'A'], want: 'NXDOMAIN' },
  { name: 'no such namespace', ask: ['web.other.svc.cluster.local', 'A'], want: 'NXDOMAIN' },
  { name: 'a namespace exists', ask: ['shop.svc.cluster.local', 'A'], want: [] },
  { name: 'pod by address', ask: ['10-244-0-9.shop.pod.cluster.local', 'A'], want: ['10.244.0.9'] },
  { name: 'pod by no address', ask: ['10-244-0-999.shop.pod.cluster.local', 'A'], want: 'NXDOMAIN' },
  { name: 'version', ask: ['dns-version.cluster.local', 'TXT'], want: ['1.1.0'] },
  { name: 'reverse of a service', ask: ['7.0.96.10.in-addr.arpa', 'PTR'], want: ['web.shop.svc.cluster.local'] },
  { name: 'reverse of an endpoint', ask: ['5.0.244.10.in-addr.arpa', 'PTR'], want: ['db-0.db.shop.svc.cluster.local'] },
  { name: 'reverse of a stranger', ask: ['1.1.1.1.in-addr.arpa', 'PTR'], want: undefined },
  { name: 'another domain', ask: ['example.org', 'A'], want: undefined },
];

for (const { name, ask, want } of cases) {
  test(name, () => {
    const got = zone.resolve(...ask);
    if (typeof want === 'string') assert.equal(got?.rcode, want);
    if (want === undefined) return assert.equal(got, undefined);
    if (Array.isArray(want)) {
      assert.equal(got?.rcode, 'NOERROR');
      assert.deepEqual(
        got.answers.map((answer) => ('data' in answer ? answer.data : undefined)),
        want,
      );
    }
  });
}
