import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkPolicySpec } from '../../api/generated/networking-v1.ts';
import { sidesOf } from './policy-rules.ts';

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
  const keys = side?.allows[0]?.peers?.map((peer) => ('key' in peer ? peer.key : ''));
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

test('of exceptions within one another the outer one is kept', () => {
  const [side] = policy({
    egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.2.0/24', '10.1.0.0/16', '10.1.0.0/16', '10.2.0.0/16'] } }] }],
    policyTypes: ['Egress'],
  });
  const [block] = side?.allows[0]?.peers ?? [];
  assert.deepEqual(block && 'except' in block && block.except.map(({ address, prefix }) => [address >> 16n, prefix]), [
    [0x0a01n, 16],
    [0x0a02n, 16],
  ]);
});
