import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { endpointsBy, planServicePorts } from './service-ports.ts';

const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const service = (spec: Service['spec'], status: Service['status'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec,
  status,
});
const http = { name: 'http', port: 80, protocol: 'TCP' } as const;
const slice = (...endpoints: NonNullable<EndpointSlice['endpoints']>): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata,
  addressType: 'IPv4',
  endpoints,
  ports: [
    { name: 'http', port: 8080, protocol: 'TCP' },
    { name: 'other', port: 9 },
  ],
});
const labelled = <T extends Service | EndpointSlice>(object: T, label: string, value: string): T => ({
  ...object,
  metadata: { ...object.metadata, labels: { [label]: value } },
});
const here = { addresses: ['10.0.0.1'], nodeName: 'a', conditions: { ready: true } };
const there = { addresses: ['10.0.0.2'], nodeName: 'b', conditions: { ready: true } };
const draining = { addresses: ['10.0.0.3'], nodeName: 'b', conditions: { ready: false, serving: true, terminating: true } };
const broken = { addresses: ['10.0.0.4'], nodeName: 'b', conditions: { ready: false, serving: false } };
const hinted = <T>(endpoint: T, node: string, zone: string) => ({
  ...endpoint,
  hints: { forNodes: [{ name: node }], forZones: [{ name: zone }] },
});
const spec = { clusterIP: '10.96.0.1', ports: [http] } satisfies Service['spec'];

const cases: { name: string; given: [Service, EndpointSlice[]]; inside?: string[]; outside?: string[]; count?: number }[] = [
  { name: 'ready endpoints of the named port', given: [service(spec), [slice(here, there)]], inside: ['10.0.0.1:8080', '10.0.0.2:8080'] },
  { name: 'those that are not ready are left out', given: [service(spec), [slice(here, draining, broken)]], inside: ['10.0.0.1:8080'] },
  { name: 'none ready: those still serving', given: [service(spec), [slice(draining, broken)]], inside: ['10.0.0.3:8080'] },
  { name: 'the same address in two slices counts once', given: [service(spec), [slice(here), slice(here)]], inside: ['10.0.0.1:8080'] },
  {
    name: 'internalTrafficPolicy Local',
    given: [service({ ...spec, internalTrafficPolicy: 'Local' }), [slice(here, there)]],
    inside: ['10.0.0.1:8080'],
  },
  {
    name: 'externalTrafficPolicy Local',
    given: [service({ ...spec, type: 'NodePort', externalTrafficPolicy: 'Local' }), [slice(here, there)]],
    inside: ['10.0.0.1:8080', '10.0.0.2:8080'],
    outside: ['10.0.0.1:8080'],
  },
  {
    name: 'meant for this node',
    given: [service(spec), [slice(hinted(here, 'a', 'z'), hinted(there, 'b', 'z'))]],
    inside: ['10.0.0.1:8080'],
  },
  {
    name: 'meant for this zone, and none for this node',
    given: [service(spec), [slice(hinted(there, 'b', 'z'), hinted(broken, 'c', 'y'), hinted({ ...here, nodeName: 'c' }, 'c', 'y'))]],
    inside: ['10.0.0.2:8080'],
  },
  { name: 'meant for others', given: [service(spec), [slice(hinted(there, 'b', 'y'))]], inside: ['10.0.0.2:8080'] },
  {
    name: 'hints on some only',
    given: [service(spec), [slice(hinted(here, 'a', 'z'), there)]],
    inside: ['10.0.0.1:8080', '10.0.0.2:8080'],
  },
  { name: 'headless', given: [service({ ...spec, clusterIP: 'None' }), [slice(here)]], count: 0 },
  {
    name: 'of another proxy',
    given: [labelled(service(spec), 'service.kubernetes.io/service-proxy-name', 'other'), [slice(here)]],
    count: 0,
  },
  {
    name: 'a slice that is not for proxies',
    given: [service(spec), [labelled(slice(here), 'service.kubernetes.io/headless', '')]],
    inside: [],
  },
  { name: 'ExternalName', given: [service({ type: 'ExternalName', externalName: 'example.org' }), []], count: 0 },
];

for (const { name, given, inside, outside, count } of cases) {
  test(name, () => {
    const ports = planServicePorts(...given, { nodeName: 'a', zone: 'z' });
    assert.equal(ports.length, count ?? 1);
    const [port] = ports;
    const shown = (endpoints: readonly { ip: string; port: number }[] = []) => endpoints.map((e) => `${e.ip}:${e.port}`);
    if (inside) assert.deepEqual(shown(port && endpointsBy(port, port.internalPolicy)), inside);
    if (outside) assert.deepEqual(shown(port && endpointsBy(port, port.externalPolicy)), outside);
  });
}

test('session affinity and external addresses', () => {
  const [port] = planServicePorts(
    service(
      { ...spec, sessionAffinity: 'ClientIP', externalIPs: ['192.0.2.1'] },
      { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { ip: '192.0.2.3', ipMode: 'Proxy' }] } },
    ),
    [slice(here)],
    { nodeName: 'a' },
  );
  assert.equal(port?.affinitySeconds, 10_800);
  assert.deepEqual(port.externalIPs, ['192.0.2.1', '192.0.2.2']);
});

test('source ranges of a load balancer', () => {
  const ofRanges = (loadBalancerSourceRanges: string[]) =>
    planServicePorts(
      service({ ...spec, loadBalancerSourceRanges, externalIPs: ['192.0.2.1'] }, { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } }),
      [slice(here)],
      { nodeName: 'a' },
    )[0]?.guarded;
  assert.deepEqual(ofRanges([' 198.51.100.0/24', '2001:db8::/32']), { ips: ['192.0.2.2'], ranges: ['198.51.100.0/24'] });
  assert.equal(ofRanges(['0.0.0.0/0']), undefined);
  assert.equal(ofRanges([]), undefined);
});
