import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { describeRecord } from '../../../test/kit/dns-messages.ts';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { ClusterZone, type ZoneSource } from './cluster-zone.ts';
import { parseName, recordTypes } from './message.ts';

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
const withIP = (name: string, ip: string, ports: NonNullable<Service['spec']['ports']>): Service =>
  service(name, { clusterIP: ip, clusterIPs: [ip], ports });
const headless = (name: string): Service => service(name, { clusterIP: 'None', clusterIPs: ['None'] });
const external = (name: string, externalName: string): Service => service(name, { type: 'ExternalName', externalName });
const slice = (
  name: string,
  endpoints: NonNullable<EndpointSlice['endpoints']>,
  ports: NonNullable<EndpointSlice['ports']>,
  addressType: EndpointSlice['addressType'] = 'IPv4',
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta(`${name}-x`, { 'kubernetes.io/service-name': name }),
  addressType,
  endpoints,
  ports,
});

const http = { name: 'http', port: 80, protocol: 'TCP' } as const;
const sql = { name: 'sql', port: 5432, protocol: 'TCP' } as const;
const chain = Array.from({ length: 13 }, (_, i) =>
  external(`chain-${i}`, i === 0 ? 'web.shop.svc.cluster.local' : `chain-${i - 1}.shop.svc.cluster.local`),
);
const services = [
  withIP('web', '10.96.0.7', [http]),
  withIP('names', '10.96.0.53', [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9153, protocol: 'TCP' },
  ]),
  service('dual', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', '2001:db8::9'], ports: [http] }),
  withIP('123', '10.96.0.123', [http]),
  headless('db'),
  headless('empty'),
  headless('unready'),
  headless('portless'),
  external('outside', 'example.org'),
  external('outside-dot', 'example.org.'),
  external('inside', 'web.shop.svc.cluster.local'),
  external('inside-dot', 'Web.shop.svc.cluster.local.'),
  external('inside-twice', 'inside-dot.shop.svc.cluster.local'),
  external('inside-db', 'db.shop.svc.cluster.local'),
  external('to-nothing', 'nothing.shop.svc.cluster.local'),
  external('to-apex', 'cluster.local'),
  external('ipv4', '192.0.2.7'),
  external('self', 'self.shop.svc.cluster.local'),
  external('loop-a', 'loop-b.shop.svc.cluster.local'),
  external('loop-b', 'loop-a.shop.svc.cluster.local'),
  ...chain,
];
const slices: Record<string, EndpointSlice[]> = {
  web: [
    slice(
      'web',
      [
        { addresses: ['10.244.0.15'], conditions: { ready: true } },
        { addresses: ['10.244.0.16'], hostname: 'named', conditions: { ready: true } },
        { addresses: ['10.244.0.17'], conditions: { ready: false } },
      ],
      [{ ...http, port: 8080 }],
    ),
  ],
  db: [
    slice(
      'db',
      [
        { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
        { addresses: ['10.244.0.6'], conditions: {} },
        { addresses: ['10.244.0.7'], conditions: { ready: false } },
        { addresses: ['10.244.0.8'], conditions: { ready: false, serving: true, terminating: true } },
      ],
      [sql, { name: 'adm', port: 99, protocol: 'UDP' }],
    ),
    slice('db', [{ addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } }], [{ ...sql, port: 5433 }]),
    slice('db', [{ addresses: ['2001:db8::'], conditions: { ready: true } }], [sql], 'IPv6'),
  ],
  unready: [slice('unready', [{ addresses: ['10.244.9.9'], conditions: { ready: false } }], [http])],
  portless: [slice('portless', [{ addresses: ['10.244.3.1'], conditions: { ready: true } }], [])],
};
const source: ZoneSource = {
  service: (namespace, name) => services.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
  hasNamespace: (namespace) => namespace === 'shop',
  slices: (_namespace, name) => slices[name] ?? [],
  serviceByIP: (ip) => services.find((s) => s.spec.clusterIPs?.includes(ip)),
  slicesByIP: (ip) => Object.values(slices).flatMap((list) => list.filter((s) => s.endpoints?.some((e) => e.addresses.includes(ip)))),
  changedAt: () => 1_800_000_000,
};
const zone = new ClusterZone({ domain: 'cluster.local', source, nameServer: { namespace: 'shop', name: 'names', address: '192.0.2.53' } });
const lonely = new ClusterZone({ domain: 'cluster.local', source, nameServer: { namespace: 'shop', name: 'gone', address: '192.0.2.53' } });

const soa = 'cluster.local 30 SOA ns.dns.cluster.local hostmaster.cluster.local 1800000000 7200 1800 86400 30';
const types: Record<string, number> = { ...recordTypes, HTTPS: 65, ANY: 255, TYPE999: 999 };

type Want = readonly string[] | 'NODATA' | 'NXDOMAIN' | undefined;
interface Row {
  readonly name: string;
  /** `NAME TYPE`; a name without a dot at its end is below shop.svc.cluster.local */
  readonly ask: string;
  /** the records of the answer */
  readonly want: Want;
  readonly additionals?: readonly string[];
  readonly continueAt?: string;
}

const web = 'web.shop.svc.cluster.local';
const db = 'db.shop.svc.cluster.local';
const rows: readonly Row[] = [
  // services with an address
  { name: 'service', ask: 'web A', want: [`${web} 30 A 10.96.0.7`] },
  {
    name: 'the case of the question comes back',
    ask: 'WEB.Shop.svc.Cluster.Local. A',
    want: ['WEB.Shop.svc.Cluster.Local 30 A 10.96.0.7'],
  },
  { name: 'a name of digits', ask: '123 A', want: ['123.shop.svc.cluster.local 30 A 10.96.0.123'] },
  { name: 'no IPv6 address is no error', ask: 'web AAAA', want: 'NODATA' },
  { name: 'IPv6 address', ask: 'dual AAAA', want: ['dual.shop.svc.cluster.local 30 AAAA 2001:db8::9'] },
  ...['CNAME', 'TXT', 'NS', 'SOA', 'MX', 'PTR', 'HTTPS', 'ANY', 'TYPE999'].map(
    (type): Row => ({ name: `service, ${type}`, ask: `web ${type}`, want: 'NODATA' }),
  ),
  ...['A', 'AAAA', 'SRV', 'TXT', 'SOA', 'HTTPS', 'ANY'].map(
    (type): Row => ({ name: `no such service, ${type}`, ask: `nothing ${type}`, want: 'NXDOMAIN' }),
  ),
  { name: 'no wildcard: *', ask: '* A', want: 'NXDOMAIN' },
  { name: 'no wildcard: any', ask: 'any A', want: 'NXDOMAIN' },
  { name: 'no such namespace', ask: 'web.other.svc.cluster.local. A', want: 'NXDOMAIN' },
  // ports
  {
    name: 'SRV of a port',
    ask: '_http._tcp.web SRV',
    want: [`_http._tcp.${web} 30 SRV 0 100 80 ${web}`],
    additionals: [`${web} 30 A 10.96.0.7`],
  },
  { name: 'SRV in any case', ask: '_HTTP._Tcp.web SRV', want: [`_HTTP._Tcp.${web} 30 SRV 0 100 80 ${web}`] },
  { name: 'SRV without underscores', ask: 'http.tcp.web SRV', want: [`http.tcp.${web} 30 SRV 0 100 80 ${web}`] },
  { name: 'the address behind a port', ask: '_http._tcp.web A', want: [`_http._tcp.${web} 30 A 10.96.0.7`] },
  { name: 'SRV of another protocol', ask: '_http._udp.web SRV', want: 'NXDOMAIN' },
  { name: 'SRV of no such port', ask: '_x._tcp.web SRV', want: 'NXDOMAIN' },
  { name: 'no wildcard for ports', ask: '_*._tcp.web SRV', want: 'NXDOMAIN' },
  { name: 'a protocol alone', ask: '_tcp.web SRV', want: 'NXDOMAIN' },
  { name: 'deeper than a port', ask: 'a._http._tcp.web A', want: 'NXDOMAIN' },
  {
    name: 'SRV of all ports: one that UDP and TCP share is one record',
    ask: 'names SRV',
    want: [
      'names.shop.svc.cluster.local 30 SRV 0 33 53 names.shop.svc.cluster.local',
      'names.shop.svc.cluster.local 30 SRV 0 33 9153 names.shop.svc.cluster.local',
    ],
    additionals: ['names.shop.svc.cluster.local 30 A 10.96.0.53'],
  },
  // endpoints below a service with an address
  { name: 'endpoint by address', ask: '10-244-0-15.web A', want: [`10-244-0-15.${web} 30 A 10.244.0.15`] },
  { name: 'endpoint by hostname', ask: 'Named.web A', want: [`Named.${web} 30 A 10.244.0.16`] },
  { name: 'its address is not its name then', ask: '10-244-0-16.web A', want: 'NXDOMAIN' },
  { name: 'endpoint that is not ready', ask: '10-244-0-17.web A', want: 'NXDOMAIN' },
  { name: 'no such endpoint', ask: 'x.web A', want: 'NXDOMAIN' },
  { name: 'SRV of an endpoint has its own port', ask: 'named.web SRV', want: [`named.${web} 30 SRV 0 100 8080 named.${web}`] },
  // headless
  { name: 'headless: ready endpoints, each once', ask: 'db A', want: [`${db} 30 A 10.244.0.5`, `${db} 30 A 10.244.0.6`] },
  { name: 'headless: IPv6', ask: 'db AAAA', want: [`${db} 30 AAAA 2001:db8::`] },
  { name: 'headless: by hostname', ask: 'db-0.db A', want: [`db-0.${db} 30 A 10.244.0.5`] },
  { name: 'headless: by address', ask: '10-244-0-6.db A', want: [`10-244-0-6.${db} 30 A 10.244.0.6`] },
  { name: 'headless: by an IPv6 address that ends in colons', ask: '2001-db8--0.db AAAA', want: [`2001-db8--0.${db} 30 AAAA 2001:db8::`] },
  { name: 'headless: not ready', ask: '10-244-0-7.db A', want: 'NXDOMAIN' },
  { name: 'headless: terminating', ask: '10-244-0-8.db A', want: 'NXDOMAIN' },
  {
    name: 'headless: SRV',
    ask: '_sql._tcp.db SRV',
    want: [
      `_sql._tcp.${db} 30 SRV 0 25 5432 db-0.${db}`,
      `_sql._tcp.${db} 30 SRV 0 25 5432 10-244-0-6.${db}`,
      `_sql._tcp.${db} 30 SRV 0 25 5433 db-0.${db}`,
      `_sql._tcp.${db} 30 SRV 0 25 5432 2001-db8--0.${db}`,
    ],
    additionals: [`db-0.${db} 30 A 10.244.0.5`, `10-244-0-6.${db} 30 A 10.244.0.6`, `2001-db8--0.${db} 30 AAAA 2001:db8::`],
  },
  { name: 'headless without endpoints', ask: 'empty A', want: 'NXDOMAIN' },
  { name: 'headless without ready endpoints', ask: 'unready A', want: 'NXDOMAIN' },
  { name: 'headless without ports', ask: 'portless A', want: ['portless.shop.svc.cluster.local 30 A 10.244.3.1'] },
  { name: 'headless without ports: SRV', ask: 'portless SRV', want: 'NODATA' },
  // ExternalName
  { name: 'ExternalName', ask: 'outside A', want: ['outside.shop.svc.cluster.local 30 CNAME example.org'], continueAt: 'example.org' },
  {
    name: 'ExternalName with a final dot',
    ask: 'outside-dot AAAA',
    want: ['outside-dot.shop.svc.cluster.local 30 CNAME example.org'],
    continueAt: 'example.org',
  },
  { name: 'ExternalName, CNAME', ask: 'outside CNAME', want: ['outside.shop.svc.cluster.local 30 CNAME example.org'] },
  ...['SRV', 'TXT', 'MX', 'HTTPS', 'ANY'].map((type): Row => ({ name: `ExternalName, ${type}`, ask: `outside ${type}`, want: 'NODATA' })),
  { name: 'below an ExternalName', ask: 'x.outside A', want: 'NXDOMAIN' },
  { name: 'a port of an ExternalName', ask: '_http._tcp.outside SRV', want: 'NXDOMAIN' },
  { name: 'alias within the cluster', ask: 'inside A', want: [`inside.shop.svc.cluster.local 30 CNAME ${web}`, `${web} 30 A 10.96.0.7`] },
  {
    name: 'alias of an alias, with a final dot',
    ask: 'inside-twice A',
    want: [
      'inside-twice.shop.svc.cluster.local 30 CNAME inside-dot.shop.svc.cluster.local',
      'inside-dot.shop.svc.cluster.local 30 CNAME Web.shop.svc.cluster.local',
      'Web.shop.svc.cluster.local 30 A 10.96.0.7',
    ],
  },
  {
    name: 'alias of a headless service',
    ask: 'inside-db A',
    want: [`inside-db.shop.svc.cluster.local 30 CNAME ${db}`, `${db} 30 A 10.244.0.5`, `${db} 30 A 10.244.0.6`],
  },
  { name: 'alias without a record of the type', ask: 'inside AAAA', want: 'NODATA' },
  { name: 'alias to nothing', ask: 'to-nothing A', want: 'NODATA' },
  { name: 'alias to the apex', ask: 'to-apex A', want: 'NODATA' },
  { name: 'an address is no name', ask: 'ipv4 A', want: 'NXDOMAIN' },
  { name: 'alias of itself', ask: 'self A', want: 'NODATA' },
  { name: 'alias of itself, CNAME', ask: 'self CNAME', want: ['self.shop.svc.cluster.local 30 CNAME self.shop.svc.cluster.local'] },
  { name: 'aliases in a circle', ask: 'loop-a A', want: 'NODATA' },
  {
    name: 'eleven aliases',
    ask: 'chain-10 A',
    want: [
      ...Array.from(
        { length: 11 },
        (_, i) => `chain-${10 - i}.shop.svc.cluster.local 30 CNAME ${i === 10 ? 'web' : `chain-${9 - i}`}.shop.svc.cluster.local`,
      ),
      `${web} 30 A 10.96.0.7`,
    ],
  },
  { name: 'twelve aliases', ask: 'chain-11 A', want: 'NODATA' },
  // names that only have names below them, for any type
  ...['A', 'TXT', 'SRV', 'HTTPS', 'CNAME'].flatMap((type): Row[] => [
    { name: `apex, ${type}`, ask: `cluster.local. ${type}`, want: 'NODATA' },
    { name: `svc, ${type}`, ask: `svc.cluster.local. ${type}`, want: 'NODATA' },
    { name: `pod, ${type}`, ask: `pod.cluster.local. ${type}`, want: 'NODATA' },
    { name: `namespace, ${type}`, ask: `shop.svc.cluster.local. ${type}`, want: 'NODATA' },
    { name: `namespace of pods, ${type}`, ask: `shop.pod.cluster.local. ${type}`, want: 'NODATA' },
    { name: `no such namespace, ${type}`, ask: `other.svc.cluster.local. ${type}`, want: 'NXDOMAIN' },
    { name: `something else, ${type}`, ask: `foo.cluster.local. ${type}`, want: 'NXDOMAIN' },
  ]),
  // the zone
  { name: 'SOA', ask: 'cluster.local. SOA', want: [soa] },
  {
    name: 'NS',
    ask: 'cluster.local. NS',
    want: ['cluster.local 30 NS names.shop.svc.cluster.local'],
    additionals: ['names.shop.svc.cluster.local 30 A 10.96.0.53'],
  },
  { name: 'ns.dns', ask: 'NS.dns.cluster.local. A', want: ['NS.dns.cluster.local 30 A 10.96.0.53'] },
  { name: 'ns.dns AAAA', ask: 'ns.dns.cluster.local. AAAA', want: 'NODATA' },
  { name: 'below ns.dns', ask: 'x.ns.dns.cluster.local. A', want: 'NXDOMAIN' },
  { name: 'version', ask: 'dns-version.cluster.local. TXT', want: ['dns-version.cluster.local 28800 TXT "1.1.0"'] },
  { name: 'version has no address', ask: 'dns-version.cluster.local. A', want: 'NODATA' },
  { name: 'below version', ask: 'x.dns-version.cluster.local. TXT', want: 'NXDOMAIN' },
  // pods
  { name: 'pod by address', ask: '10-244-0-9.shop.pod.cluster.local. A', want: ['10-244-0-9.shop.pod.cluster.local 30 A 10.244.0.9'] },
  {
    name: 'pod by IPv6 address',
    ask: '2001-db8--1.shop.pod.cluster.local. AAAA',
    want: ['2001-db8--1.shop.pod.cluster.local 30 AAAA 2001:db8::1'],
  },
  { name: 'pod by no address', ask: '10-244-0-999.shop.pod.cluster.local. A', want: 'NXDOMAIN' },
  { name: 'pod by an address with leading zeros', ask: '010-1-2-3.shop.pod.cluster.local. A', want: 'NXDOMAIN' },
  { name: 'pod by three numbers', ask: '1-2-3.shop.pod.cluster.local. A', want: 'NXDOMAIN' },
  { name: 'pod in no namespace', ask: '10-244-0-9.other.pod.cluster.local. A', want: 'NXDOMAIN' },
  { name: 'far below a pod', ask: 'a.b.c.10-244-0-9.shop.pod.cluster.local. A', want: 'NXDOMAIN' },
  // reverse
  { name: 'reverse of a service', ask: '7.0.96.10.in-addr.arpa. PTR', want: [`7.0.96.10.in-addr.arpa 30 PTR ${web}`] },
  {
    name: 'reverse of a service, IPv6',
    ask: '9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.arpa. PTR',
    want: ['9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.arpa 30 PTR dual.shop.svc.cluster.local'],
  },
  { name: 'reverse of an endpoint, once', ask: '5.0.244.10.in-addr.arpa. PTR', want: [`5.0.244.10.in-addr.arpa 30 PTR db-0.${db}`] },
  {
    name: 'reverse of an endpoint of a service with an address',
    ask: '15.0.244.10.in-addr.arpa. PTR',
    want: [`15.0.244.10.in-addr.arpa 30 PTR 10-244-0-15.${web}`],
  },
  { name: 'reverse of an endpoint that is not ready', ask: '7.0.244.10.in-addr.arpa. PTR', want: undefined },
  { name: 'reverse of a stranger', ask: '1.1.1.1.in-addr.arpa. PTR', want: undefined },
  { name: 'reverse of a network', ask: '0.96.10.in-addr.arpa. PTR', want: undefined },
  { name: 'reverse of too much', ask: '1.7.0.96.10.in-addr.arpa. PTR', want: undefined },
  { name: 'the reverse zone', ask: 'in-addr.arpa. SOA', want: undefined },
  // others
  { name: 'another domain', ask: 'example.org. A', want: undefined },
  { name: 'a domain that ends alike', ask: 'notcluster.local. A', want: undefined },
  { name: 'the root', ask: '. NS', want: undefined },
];

suite('cluster zone', () => {
  for (const { name, ask, want, additionals, continueAt } of rows) {
    test(name, () => {
      const [asked = '', type = ''] = ask.split(' ');
      const full = asked.endsWith('.') ? asked : `${asked}.shop.svc.cluster.local`;
      const got = zone.resolve(parseName(full), types[type] ?? 0);
      if (want === undefined) return assert.equal(got, undefined);
      assert.ok(got);
      const answers = got.answers.map(describeRecord);
      if (typeof want === 'string') {
        assert.deepEqual({ rcode: got.rcode, answers }, { rcode: want === 'NODATA' ? 'NOERROR' : want, answers: [] });
        return assert.deepEqual(got.authorities.map(describeRecord), [soa]);
      }
      assert.deepEqual(answers, want);
      assert.deepEqual([got.rcode, got.authorities], ['NOERROR', []]);
      assert.equal(got.continueAt?.join('.'), continueAt);
      if (additionals) assert.deepEqual(got.additionals.map(describeRecord), additionals);
    });
  }

  test('another type of a reverse name is nothing of that zone', () => {
    const got = zone.resolve(parseName('7.0.96.10.in-addr.arpa'), recordTypes.A);
    assert.deepEqual(got?.authorities.map(describeRecord), [
      'in-addr.arpa 30 SOA ns.dns.in-addr.arpa hostmaster.in-addr.arpa 1800000000 7200 1800 86400 30',
    ]);
  });

  test('a label with a dot in it is one label', () => {
    assert.equal(zone.resolve(['web.shop', 'svc', 'cluster', 'local'], recordTypes.A)?.rcode, 'NXDOMAIN');
  });

  test('a server without a Service names its own address', () => {
    const got = lonely.resolve(parseName('cluster.local'), recordTypes.NS);
    assert.deepEqual(got?.answers.map(describeRecord), ['cluster.local 30 NS ns.dns.cluster.local']);
    assert.deepEqual(got?.additionals.map(describeRecord), ['ns.dns.cluster.local 30 A 192.0.2.53']);
  });
});
