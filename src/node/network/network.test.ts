/** The pure parts of the pod network. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressAt, formatCidr, parseCidr, subnetAt } from './cidr.ts';
import { isFree } from './free-range.ts';
import { linkName } from './node-network.ts';
import { type HostPortRule, planHostPorts, planNodeRules, type RoutedPod } from './node-rules.ts';
import { planRoutes, type RoutedNode } from './routes.ts';

describe('address ranges', () => {
  it('parse, whatever address of them is written', () => {
    for (const text of ['10.244.3.0/24', '10.244.3.77/24', 'fd00::/64,10.244.3.0/24'])
      assert.equal(formatCidr(parseCidr(text)), '10.244.3.0/24');
    assert.equal(formatCidr(parseCidr('255.255.255.255/0')), '0.0.0.0/0');
    for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '10.0.0.256/8', 'x/8', '']) assert.throws(() => parseCidr(text), RangeError);
  });
  it('have addresses and parts', () => {
    assert.equal(addressAt(parseCidr('10.0.255.0/16'), 257), '10.0.1.1');
    assert.throws(() => addressAt(parseCidr('10.0.0.0/24'), 256), RangeError);
    assert.equal(formatCidr(subnetAt(parseCidr('10.244.0.0/16'), 24, 255)), '10.244.255.0/24');
    assert.throws(() => subnetAt(parseCidr('10.244.0.0/16'), 24, 256), RangeError);
  });
});

describe('isFree', () => {
  const table: { name: string; used: string[]; want: boolean }[] = [
    { name: 'nothing used', used: ['default', 'fe80::/64', '127.0.0.0/8'], want: true },
    { name: 'a pod of another cluster', used: ['10.244.3.7'], want: false },
    { name: 'a larger network', used: ['10.0.0.0/8'], want: false },
    { name: 'a part of it', used: ['10.243.0.0/16', '10.244.255.0/24'], want: false },
    { name: 'next to it', used: ['10.243.0.0/16', '10.245.0.0/16'], want: true },
  ];
  for (const { name, used, want } of table) it(name, () => assert.equal(isFree('10.244.0.0/16', used), want));
});

describe('linkName', () => {
  const table: [string, string, string][] = [
    ['default', '', 'tm-default'],
    ['default', '-12', 'tm-default-12'],
    ['a-rather-long-name', '-2', 'tm-29d37f0c-2'],
  ];
  for (const [cluster, suffix, want] of table)
    it(cluster + suffix, () => {
      const name = linkName(cluster, suffix);
      assert.ok(name.length <= 15);
      if (cluster.length < 10) assert.equal(name, want);
      else assert.match(name, /^tm-[0-9a-f]{8}-2$/);
    });
});

describe('planRoutes', () => {
  const node = (name: string, podCIDR?: string, address?: string): RoutedNode => ({
    metadata: { name },
    spec: { ...(podCIDR && { podCIDR }) },
    status: { addresses: [{ type: 'Hostname', address: name }, ...(address ? [{ type: 'InternalIP', address }] : [])] },
  });
  const table: { name: string; nodes: RoutedNode[]; want: [string, string][] }[] = [
    { name: 'alone', nodes: [node('self', '10.244.0.0/24', '172.30.0.1')], want: [] },
    {
      name: 'another',
      nodes: [node('self', '10.244.0.0/24', '172.30.0.1'), node('b', '10.244.1.0/24', '172.30.0.2')],
      want: [['10.244.1.0/24', '172.30.0.2']],
    },
    { name: 'simulated', nodes: [node('b', '100.64.0.0/24', '198.18.0.1')], want: [] },
    { name: 'without a range', nodes: [node('b', undefined, '172.30.0.2')], want: [] },
    { name: 'without an address', nodes: [node('b', '10.244.1.0/24')], want: [] },
    {
      name: 'IPv6 first',
      nodes: [
        {
          ...node('b', '10.244.1.0/24'),
          status: {
            addresses: [
              { type: 'InternalIP', address: 'fd00::2' },
              { type: 'InternalIP', address: '172.30.0.2' },
            ],
          },
        },
      ],
      want: [['10.244.1.0/24', '172.30.0.2']],
    },
  ];
  const at = { self: 'self', clusterCidr: '10.244.0.0/16' };
  for (const { name, nodes, want } of table) it(name, () => assert.deepEqual([...planRoutes(nodes, at)], want));
});

describe('planHostPorts', () => {
  const pod = (ports: object[], change: object = {}): RoutedPod =>
    ({ spec: { containers: [{ name: 'main', ports }] }, status: { podIP: '10.244.0.5', phase: 'Running' }, ...change }) as RoutedPod;
  const port = { containerPort: 8080, hostPort: 80 };
  const want = { protocol: 'tcp', hostIP: undefined, hostPort: 80, podIP: '10.244.0.5', containerPort: 8080 };
  const table: { name: string; given: RoutedPod; want: object[] }[] = [
    { name: 'a port', given: pod([port]), want: [want] },
    { name: 'no hostPort', given: pod([{ containerPort: 8080 }]), want: [] },
    { name: 'another protocol', given: pod([{ ...port, protocol: 'UDP' }]), want: [{ ...want, protocol: 'udp' }] },
    { name: 'one address', given: pod([{ ...port, hostIP: '127.0.0.1' }]), want: [{ ...want, hostIP: '127.0.0.1' }] },
    { name: 'every address', given: pod([{ ...port, hostIP: '0.0.0.0' }]), want: [want] },
    { name: 'an IPv6 address', given: pod([{ ...port, hostIP: '::1' }]), want: [] },
    { name: 'no address yet', given: pod([port], { status: { phase: 'Pending' } }), want: [] },
    { name: 'over', given: pod([port], { status: { podIP: '10.244.0.5', phase: 'Succeeded' } }), want: [] },
    { name: 'hostNetwork', given: pod([], { spec: { hostNetwork: true, containers: [{ name: 'main', ports: [port] }] } }), want: [] },
    {
      name: 'a sidecar',
      given: pod([], {
        spec: {
          containers: [],
          initContainers: [
            { name: 's', restartPolicy: 'Always', ports: [port] },
            { name: 'i', ports: [port] },
          ],
        },
      }),
      want: [want],
    },
  ];
  for (const row of table) it(row.name, () => assert.deepEqual(planHostPorts([row.given]), row.want));
});

describe('the rules of hostPorts', () => {
  const port = (n: number, podIP: string): HostPortRule => ({ protocol: 'tcp', hostPort: n, podIP, containerPort: 80 });

  it('are the same whatever order the ports come in', () => {
    const ports = [1, 2, 3].map((n) => port(n, `10.0.0.${n}`));
    assert.deepEqual(planNodeRules(ports), planNodeRules(ports.toReversed()));
    assert.deepEqual([...(planNodeRules(ports).elements.get('ports') ?? [])].toSorted()[0], ['tcp . 1', '10.0.0.1 . 80']);
  });

  it('lead to one of the pods that want the same port, so that the others’ rules are written', () => {
    const elements = planNodeRules([port(1, '10.0.0.2'), port(1, '10.0.0.1')]).elements.get('ports');
    assert.deepEqual([...(elements ?? [])], [['tcp . 1', '10.0.0.1 . 80']]);
  });
});
