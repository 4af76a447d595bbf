import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NetworkPolicySpec } from '../../api/generated/networking-v1.ts';
import type { Ruleset } from '../nft/ruleset.ts';
import { renderDifference } from '../nft/ruleset.ts';
import type { PolicyPod } from './policy-pod.ts';
import { sidesOf } from './policy-rules.ts';
import { PolicyPlanner, policyTable } from './ruleset.ts';

const table = policyTable('t', ['IPv4']);
const policy = (name: string, spec: Partial<NetworkPolicySpec>) =>
  sidesOf({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { podSelector: {}, ...spec },
  });
const shop = {};
const pod = (app: string, ip: string, change: Partial<PolicyPod> = {}): PolicyPod => ({
  namespace: 'shop',
  namespaceLabels: shop,
  labels: { app },
  ips: [ip],
  namedPorts: { 'tcp/http': 8080 },
  isLocal: true,
  ...change,
});
const db = { matchLabels: { app: 'db' } };
const rulesOf = ({ chains }: Ruleset, name: string): readonly string[] =>
  (chains.get(name) ?? []).map((rule) => rule.replaceAll(/(?<=(pods|blocks|named|ports|ports-reply))\.\w+/g, ''));
const chainOf = ({ chains }: Ruleset, kind: string): string => [...chains.keys()].find((name) => name.startsWith(`${kind}.`)) ?? '';
const addressesIn = ({ elements }: Ruleset, name: string): readonly string[] => [...(elements.get(name)?.keys() ?? [])];

describe('the rules of policies', () => {
  const sides = policy('db', {
    podSelector: db,
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: 'web' } } }],
        ports: [{ port: 'http' }, { port: 5432 }, { protocol: 'SCTP', port: 7 }],
      },
    ],
  });
  const web = pod('web', '10.244.0.2');
  const state = { sides, servers: [] };
  const plan = (...pods: readonly PolicyPod[]): Ruleset => new PolicyPlanner(['IPv4']).plan({ ...state, pods });

  it('isolate who is selected, on its own node alone, and nobody else', () => {
    const got = plan(
      web,
      pod('db', '10.244.0.3'),
      pod('db', '10.244.1.3', { isLocal: false }),
      pod('db', '10.244.0.4', { namespace: 'other' }),
    );
    assert.deepEqual([addressesIn(got, 'in-4'), addressesIn(got, 'out-4')], [['10.244.0.3'], []]);
  });

  it('match both ways, a named port by pod, protocols by number', () => {
    const got = plan(web, pod('db', '10.244.0.3'));
    assert.deepEqual(rulesOf(got, 'in.shop.db'), ['ip saddr @pods-4 jump ports']);
    assert.deepEqual(rulesOf(got, 'in-reply.shop.db'), ['ip daddr @pods-4 jump ports-reply']);
    assert.deepEqual(rulesOf(got, chainOf(got, 'ports')), [
      'meta l4proto tcp th dport { 5432 } accept',
      'meta l4proto sctp th dport { 7 } accept',
      'ip daddr . meta l4proto . th dport @named-4 accept',
    ]);
    assert.deepEqual(rulesOf(got, chainOf(got, 'ports-reply')), [
      'meta l4proto tcp th sport { 5432 } accept',
      'meta l4proto sctp th sport { 7 } accept',
      'ip saddr . meta l4proto . th sport @named-4 accept',
    ]);
    const named = [...got.sets.keys()].find((name) => name.startsWith('named.')) ?? '';
    assert.deepEqual(addressesIn(got, named), ['10.244.0.2 . tcp . 8080', '10.244.0.3 . tcp . 8080']);
  });

  it('cost the sum of peers and ports, not each peer with each port', () => {
    const count = 1000;
    const many = policy('many', {
      ingress: [
        {
          from: Array.from({ length: count }, (_, i) => [
            { ipBlock: { cidr: `20.${i >> 8}.${i & 255}.0/25` } },
            { podSelector: { matchLabels: { app: `a${i}` } } },
          ]).flat(),
          ports: Array.from({ length: count }, (_, i) => [{ port: `p${i}` }, { port: 2 * i + 1 }]).flat(),
        },
      ],
    });
    const got = new PolicyPlanner(['IPv4', 'IPv6']).plan({ sides: many, servers: [], pods: [web] });
    assert.ok(renderDifference(table, { chains: new Map(), sets: new Map(), elements: new Map() }, got).split('\n').length < 40);
    assert.match([...got.sets.values()].join(), /elements = \{ 20\.0\.0\.0-20\.0\.0\.127, 20\.0\.1\.0-/);
  });

  it('are none of policies that select no pod of this node, until one is born', () => {
    const planner = new PolicyPlanner(['IPv4']);
    const remote = pod('db', '10.244.1.3', { isLocal: false });
    const [before, after] = [
      [web, remote],
      [web, remote, pod('db', '10.244.0.3')],
    ].map((pods) => planner.plan({ ...state, pods }));
    assert.deepEqual([before?.chains.size, before?.sets.size], [0, 0]);
    assert.ok(after?.chains.has('in.shop.db'));
    assert.equal(planner.plan({ ...state, pods: [web, remote] }).chains.size, 0);
  });

  it('stay as they are when a pod is born: it costs its elements', () => {
    const planner = new PolicyPlanner(['IPv4']);
    const before = planner.plan({ ...state, pods: [web, pod('db', '10.244.0.3')] });
    const after = planner.plan({ ...state, pods: [web, pod('db', '10.244.0.3'), pod('db', '10.244.0.9', { namedPorts: {} })] });
    const lines = renderDifference(table, before, after).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(/isolated-in-\w+/, 'CHAIN')),
      ['add element inet t in-4 { 10.244.0.9 : goto CHAIN }', 'add element inet t self-4 { 10.244.0.9 . 10.244.0.9 }'],
    );
  });

  it('are one chain for pods that the same policies isolate', () => {
    const both = [...sides, ...policy('all', { ingress: [{}] })];
    const got = new PolicyPlanner(['IPv4']).plan({
      sides: both,
      servers: [],
      pods: [web, pod('db', '10.244.0.3'), pod('db', '10.244.0.4')],
    });
    const isolated = [...got.chains.keys()].filter((name) => /^isolated-in-\w+$/.test(name));
    assert.equal(isolated.length, 2);
    assert.deepEqual(got.chains.get((got.elements.get('in-4')?.get('10.244.0.3') ?? '').replace('goto ', '')), [
      `ct direction reply goto ${(got.elements.get('in-4')?.get('10.244.0.3') ?? '').replace('goto ', '')}-reply`,
      'jump exempt',
      'jump in.shop.db',
      'jump in.shop.all',
      'drop',
    ]);
  });

  it('are of the last pod that has an address', () => {
    const got = plan(pod('db', '10.244.0.3'), pod('web', '10.244.0.3'));
    assert.deepEqual(addressesIn(got, 'in-4'), []);
  });

  it('are nothing where there is no policy', () => {
    const got = new PolicyPlanner(['IPv4']).plan({ sides: [], servers: [], pods: [web] });
    assert.deepEqual([got.chains.size, got.sets.size, [...got.elements.values()].flatMap((set) => [...set.keys()])], [0, 0, []]);
  });

  it('are of both families, each with its own addresses', () => {
    const blocks = policy('b', {
      egress: [{ to: [{ ipBlock: { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] } }] }],
      policyTypes: ['Egress'],
    });
    const dual = pod('web', '10.244.0.2', { ips: ['10.244.0.2', '2001:db8::2'] });
    const of = (...families: readonly ('IPv4' | 'IPv6')[]): Ruleset =>
      new PolicyPlanner(families).plan({ sides: blocks, servers: [], pods: [dual] });
    assert.deepEqual(rulesOf(of('IPv4', 'IPv6'), 'out.shop.b'), ['ip6 daddr @blocks-6 accept']);
    assert.deepEqual(
      [...of('IPv4', 'IPv6').sets.values()],
      [
        'set { type ipv6_addr; flags interval; elements = { 2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff, 2001:db8:2::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff }; }',
      ],
    );
    assert.deepEqual(
      [addressesIn(of('IPv4', 'IPv6'), 'out-6'), addressesIn(of('IPv4'), 'out-6'), rulesOf(of('IPv4'), 'out.shop.b')],
      [['2001:db8::2'], [], []],
    );
  });

  it('have names that nft takes, however long those of the policies are', () => {
    const names = ['x', 'y'].map((end) => `${'n'.repeat(252)}${end}`);
    const got = new PolicyPlanner(['IPv4']).plan({ sides: names.flatMap((name) => policy(name, {})), servers: [], pods: [web] });
    const chains = [...got.chains.keys()];
    assert.ok(
      chains.every((name) => name.length < 128),
      chains.join(),
    );
    assert.equal(chains.length, 2 * 2 + 2);
  });
});
