import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkPolicySpec } from '../../api/generated/networking-v1.ts';
import { formatAddress } from '../../api/meta/addresses.ts';
import { policyElementsMax, sidesOf } from './policy-rules.ts';

const policy = (spec: Partial<NetworkPolicySpec>) =>
  sidesOf({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { podSelector: {}, ...spec },
  });

const types: readonly { name: string; given: Partial<NetworkPolicySpec>; want: readonly string[] }[] = [
  { name: 'nothing said', given: {}, want: ['ingress'] },
  { name: 'egress rules', given: { egress: [{}] }, want: ['ingress', 'egress'] },
  { name: 'egress rules, none', given: { egress: [] }, want: ['ingress', 'egress'] },
  { name: 'one said', given: { policyTypes: ['Egress'], ingress: [{}] }, want: ['egress'] },
];
for (const { name, given, want } of types)
  test(`sides of a policy: ${name}`, () =>
    assert.deepEqual(
      policy(given).map(({ side }) => side),
      want,
    ));

test('what a rule leaves out, or lists nothing for, is everything', () => {
  const [side] = policy({ ingress: [{}, { from: [], ports: [] }] });
  assert.deepEqual(side?.allows, [
    { peers: undefined, ports: undefined },
    { peers: undefined, ports: undefined },
  ]);
});

test('peers of equal selectors are one label group, those of other namespaces are another', () => {
  const labels = { matchLabels: { a: '1', b: '2' } };
  const swapped = {
    matchExpressions: [
      { key: 'b', operator: 'In' as const, values: ['2'] },
      { key: 'a', operator: 'In' as const, values: ['1'] },
    ],
  };
  const [side] = policy({
    ingress: [
      {
        from: [
          { podSelector: labels },
          { podSelector: swapped },
          { namespaceSelector: {}, podSelector: labels },
          { namespaceSelector: {} },
        ],
      },
    ],
  });
  const keys = side?.allows[0]?.peers?.pods.map(({ key }) => key);
  assert.deepEqual(keys, ['shop/{a=1,b=2}', 'shop/{a in (1),b in (2)}', '{}/{a=1,b=2}', '{}/{}']);
});

test('ports are by protocol, ranges disjoint and ascending', () => {
  const [side] = policy({
    ingress: [
      {
        ports: [
          { port: 90 },
          { port: 80, endPort: 85 },
          { protocol: 'UDP', port: 53 },
          { port: 86, endPort: 88 },
          { port: 82 },
          { port: 'http' },
          { protocol: 'SCTP' },
        ],
      },
    ],
  });
  assert.deepEqual(side?.allows[0]?.ports, [
    {
      protocol: 'tcp',
      isAny: false,
      ranges: [
        [80, 88],
        [90, 90],
      ],
      names: ['http'],
    },
    { protocol: 'udp', isAny: false, ranges: [[53, 53]], names: [] },
    { protocol: 'sctp', isAny: true, ranges: [], names: [] },
  ]);
});

const blockRows: readonly { name: string; given: readonly { cidr: string; except?: string[] }[]; want: readonly string[] }[] = [
  { name: 'one', given: [{ cidr: '10.1.0.0/16' }], want: ['10.1.0.0-10.1.255.255'] },
  { name: 'an address within', given: [{ cidr: '10.1.0.7/16' }], want: ['10.1.0.0-10.1.255.255'] },
  {
    name: 'equal, overlapping and neighbours',
    given: ['10.0.0.0/25', '10.0.0.128/25', '10.0.0.0/25', '10.0.0.64/26'].map((cidr) => ({ cidr })),
    want: ['10.0.0.0-10.0.0.255'],
  },
  {
    name: 'exceptions within one another, one at each end',
    given: [{ cidr: '10.0.0.0/8', except: ['10.1.2.0/24', '10.1.0.0/16', '10.1.0.0/16', '10.0.0.0/16', '10.255.0.0/16'] }],
    want: ['10.2.0.0-10.254.255.255'],
  },
  {
    name: 'an exception that another block allows',
    given: [{ cidr: '10.0.0.0/30', except: ['10.0.0.0/31'] }, { cidr: '10.0.0.1/32' }],
    want: ['10.0.0.1-10.0.0.3'],
  },
  { name: 'all of it excepted', given: [{ cidr: '10.0.0.0/30', except: ['10.0.0.0/31', '10.0.0.2/31'] }], want: [] },
  { name: 'everything', given: [{ cidr: '0.0.0.0/0' }], want: ['0.0.0.0-255.255.255.255'] },
];
for (const { name, given, want } of blockRows)
  test(`address blocks are ranges: ${name}`, () => {
    const [side] = policy({ ingress: [{ from: given.map((ipBlock) => ({ ipBlock })) }] });
    const ranges = side?.allows[0]?.peers?.blocks.IPv4 ?? [];
    assert.deepEqual(
      ranges.map((range) => range.map((address) => formatAddress(address, 'IPv4')).join('-')),
      want,
    );
  });

test('rules of a policy that are over its bound allow nothing, the others do', () => {
  const ports = (count: number) => ({ ports: Array.from({ length: count }, (_, i) => ({ port: 2 * i + 1 })) });
  const half = policyElementsMax / 2;
  const [ingress, egress] = policy({ ingress: [ports(half), ports(half), ports(7)], egress: [ports(half), {}] });
  assert.deepEqual(
    [ingress, egress].map((side) => [side?.allows.map(({ ports }) => ports?.[0]?.ranges.length), side?.leftOut]),
    [
      [[half, 7], 1],
      [[undefined], 1],
    ],
  );
});
