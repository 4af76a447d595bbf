import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Node, Pod, Service } from '../../../api/generated/kinds.ts';
import { planSlices, type SlicePlan } from './endpoint-slice-plan.ts';
import { planSubsets } from './endpoints.ts';

const meta = (name: string, labels: Record<string, string> = {}) => ({
  name,
  namespace: 'n',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels,
});
const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web', { team: 'a' }),
  spec: {
    clusterIP: '10.0.0.1',
    ipFamilies: ['IPv4'],
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    ...spec,
  },
  status: {},
});
interface PodGiven {
  readonly ready?: boolean;
  readonly terminating?: boolean;
  readonly phase?: 'Running' | 'Succeeded';
  readonly ips?: string[];
  readonly node?: string;
  readonly spec?: Partial<Pod['spec']>;
}
function pod(index: number, { ready = true, terminating, phase = 'Running', ips, node = 'node-1', spec }: PodGiven = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta(`web-${index}`, { app: 'web' }), ...(terminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    spec: { containers: [], nodeName: node, ...spec },
    status: {
      phase,
      podIPs: (ips ?? [`10.1.${index >> 8}.${index & 255}`]).map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}
const nodes: Record<string, Node> = {
  'node-1': { apiVersion: 'v1', kind: 'Node', metadata: meta('node-1', { 'topology.kubernetes.io/zone': 'z' }), spec: {}, status: {} },
};
const plan = (pods: readonly Pod[], existing: readonly EndpointSlice[] = [], of = service()): SlicePlan =>
  planSlices({ service: of, pods, nodeOf: (name) => nodes[name], existing });
const many = (count: number, from = 0): Pod[] => Array.from({ length: count }, (_, i) => pod(from + i));

let made = 0;
/** What the API would have after the plan. */
function apply(existing: readonly EndpointSlice[], { create, update, remove }: SlicePlan): EndpointSlice[] {
  const left = existing
    .filter((slice) => !remove.includes(slice))
    .map((slice) => update.find((u) => u.metadata.name === slice.metadata.name) ?? slice);
  const created = create.map((slice) => {
    const metadata = {
      ...slice.metadata,
      ...meta(`slice-${++made}`, slice.metadata.labels),
      ownerReferences: slice.metadata.ownerReferences ?? [],
    };
    return { ...slice, apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata } as EndpointSlice;
  });
  return [...left, ...created];
}
const sizes = (slices: readonly EndpointSlice[]) => slices.map((slice) => slice.endpoints?.length ?? 0);

test('trafficDistribution says for whom ready endpoints are; without it nothing says so any more', () => {
  const hintsOf = (slices: readonly { readonly endpoints?: EndpointSlice['endpoints'] }[]) =>
    slices.flatMap(({ endpoints }) => (endpoints ?? []).map(({ hints }) => hints));
  const near = (trafficDistribution: string) => service({ trafficDistribution });
  const pods = [pod(1), pod(2, { ready: false })];
  const byNode = { forZones: [{ name: 'z' }], forNodes: [{ name: 'node-1' }] };
  assert.deepEqual(hintsOf(plan(pods, [], near('PreferClose')).create), [{ forZones: [{ name: 'z' }] }, undefined]);
  assert.deepEqual(hintsOf(plan(pods, [], near('PreferSameNode')).create), [byNode, undefined]);
  const existing = apply([], plan(pods, [], near('PreferSameZone')));
  assert.deepEqual(plan(pods, existing, near('PreferSameZone')).update, []);
  assert.deepEqual(hintsOf(plan(pods, existing, near('PreferSameNode')).update), [byNode, undefined]);
  assert.deepEqual(hintsOf(plan(pods, existing).update), [undefined, undefined]);
});

test('a slice says all that proxies and DNS want to know', () => {
  const spec = { hostname: 'one', subdomain: 'web' };
  assert.deepEqual(plan([pod(1, { spec })]).create, [
    {
      metadata: {
        namespace: 'n',
        generateName: 'web-',
        labels: {
          team: 'a',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'uid-web', controller: true, blockOwnerDeletion: true }],
      },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'one',
          nodeName: 'node-1',
          targetRef: { kind: 'Pod', namespace: 'n', name: 'web-1', uid: 'uid-web-1' },
          zone: 'z',
        },
      ],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
  ]);
});

const conditions: { name: string; pod: Pod; service?: Service; want: unknown }[] = [
  { name: 'ready', pod: pod(1), want: { ready: true, serving: true, terminating: false } },
  { name: 'not ready', pod: pod(1, { ready: false }), want: { ready: false, serving: false, terminating: false } },
  { name: 'terminating', pod: pod(1, { terminating: true }), want: { ready: false, serving: true, terminating: true } },
  {
    name: 'published though not ready',
    pod: pod(1, { ready: false }),
    service: service({ publishNotReadyAddresses: true }),
    want: { ready: true, serving: false, terminating: false },
  },
  { name: 'ended', pod: pod(1, { phase: 'Succeeded' }), want: undefined },
  { name: 'without an address', pod: pod(1, { ips: [] }), want: undefined },
  { name: 'on an unknown node', pod: pod(1, { node: 'gone' }), want: undefined },
];
for (const { name, pod: given, service: of = service(), want } of conditions) {
  test(`conditions: ${name}`, () => assert.deepEqual(plan([given], [], of).create[0]?.endpoints?.[0]?.conditions, want));
}

test('a Service without pods has an empty slice, which stays', () => {
  const slices = apply([], plan([]));
  assert.deepEqual(
    slices.map(({ endpoints, ports }) => ({ endpoints, ports })),
    [{ endpoints: [], ports: [] }],
  );
  assert.deepEqual(plan([], slices), { create: [], update: [], remove: [], skipped: [] });
});

test('the empty slice becomes the first one with endpoints, and the last one empty again', () => {
  const empty = apply([], plan([]));
  const first = plan(many(2), empty);
  assert.deepEqual([first.create.length, first.update.length, first.remove.length], [0, 1, 0]);
  const full = apply(empty, first);
  assert.deepEqual(sizes(full), [2]);
  const none = plan([], full);
  assert.deepEqual([none.create.length, none.update.length, none.remove.length], [0, 1, 0]);
  assert.deepEqual(sizes(apply(full, none)), [0]);
});

test('slices hold a hundred each, and only those change that must', () => {
  const slices = apply([], plan(many(250)));
  assert.deepEqual(sizes(slices), [100, 100, 50]);
  assert.deepEqual(plan(many(250), slices), { create: [], update: [], remove: [], skipped: [] });
  const one = plan(many(251), slices);
  assert.deepEqual([one.create.length, one.update.map((slice) => slice.endpoints?.length)], [0, [51]]);
  const swapped = plan([...many(249, 1), pod(250)], slices);
  assert.deepEqual([swapped.create.length, swapped.update.length, swapped.remove.length], [0, 1, 0]);
  assert.deepEqual(sizes(apply(slices, plan(many(100), slices))), [100]);
});

test('pods whose named port differs are in slices of their own', () => {
  const named = (index: number, port: number) =>
    pod(index, { spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }] } });
  const of = service({ ports: [{ port: 80, targetPort: 'http' }] });
  const { create } = plan([named(1, 8080), named(2, 8080), named(3, 9090)], [], of);
  assert.deepEqual(
    create.map((slice) => [slice.ports?.[0]?.port, slice.endpoints?.length]),
    [
      [8080, 2],
      [9090, 1],
    ],
  );
});

test('each family has its slices', () => {
  const of = service({ ipFamilies: ['IPv6', 'IPv4'] });
  const { create } = plan([pod(1, { ips: ['10.1.0.1', 'fd00::1'] })], [], of);
  assert.deepEqual(
    create.map((slice) => [slice.addressType, slice.endpoints?.[0]?.addresses]),
    [
      ['IPv6', ['fd00::1']],
      ['IPv4', ['10.1.0.1']],
    ],
  );
});

test('labels follow the Service', () => {
  const slices = apply([], plan(many(1)));
  const relabelled = { ...service({ clusterIP: 'None' }), metadata: meta('web', { team: 'b' }) };
  const { update } = plan(many(1), slices, relabelled);
  assert.deepEqual(update[0]?.metadata.labels, {
    team: 'b',
    'service.kubernetes.io/headless': '',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
});

test('Endpoints: ready and not ready addresses of like ports share a subset', () => {
  const subsets = planSubsets(service(), [pod(2), pod(1), pod(3, { ready: false }), pod(4, { terminating: true })]);
  assert.deepEqual(
    subsets.map(({ addresses, notReadyAddresses, ports }) => [addresses?.map((a) => a.ip), notReadyAddresses?.map((a) => a.ip), ports]),
    [[['10.1.0.1', '10.1.0.2'], ['10.1.0.3'], [{ name: 'http', port: 8080, protocol: 'TCP' }]]],
  );
  assert.deepEqual(planSubsets(service({ ports: [], clusterIP: 'None' }), [pod(1)]).length, 1);
});

const two = service({
  ports: [
    { name: 'web', port: 80, targetPort: 'web' },
    { name: 'admin', port: 81, targetPort: 'admin' },
  ],
});
const serves = (...names: string[]): PodGiven => ({
  spec: { containers: [{ name: 'c', image: 'i', ports: names.map((name, i) => ({ name, containerPort: 8000 + i, protocol: 'TCP' })) }] },
});
const subsets: { name: string; pods: readonly Pod[]; want: readonly string[] }[] = [
  {
    name: 'all serve both',
    pods: [pod(1, serves('web', 'admin')), pod(2, serves('web', 'admin'))],
    want: ['10.1.0.1+10.1.0.2: web:8000 admin:8001'],
  },
  {
    name: 'a port that one pod lacks stands apart, for all',
    pods: [pod(1, serves('web', 'admin')), pod(2, serves('web'))],
    want: ['10.1.0.1+10.1.0.2: web:8000', '10.1.0.1: admin:8001'],
  },
  {
    name: 'one name, two numbers',
    pods: [pod(1, serves('web', 'admin')), pod(2, serves('admin', 'web'))],
    want: ['10.1.0.1: web:8000 admin:8001', '10.1.0.2: web:8001 admin:8000'],
  },
];
for (const { name, pods, want } of subsets) {
  test(`Endpoints, subsets: ${name}`, () => {
    const found = planSubsets(two, pods).map(
      ({ addresses, ports }) =>
        `${addresses?.map(({ ip }) => ip).join('+')}: ${ports?.map((port) => `${port.name}:${port.port}`).join(' ')}`,
    );
    assert.deepEqual(found.toSorted(), want);
  });
}
