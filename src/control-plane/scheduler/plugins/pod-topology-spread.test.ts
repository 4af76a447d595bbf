import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostname,
  isHelped,
  pluginScores,
  type TestCluster,
  type TestPod,
  testFacts,
  testNode,
  verdictsOf,
  zone,
} from '../../../../test/kit/scheduler-objects.ts';
import type { TopologySpreadConstraint } from '../../../api/generated/core-v1.ts';
import { labelMatcherOfMap } from '../../../api/meta/selectors.ts';
import { podTopologySpread } from './pod-topology-spread.ts';

const plugin = podTopologySpread(() => undefined);
const web = { labels: { app: 'web' } };
const skewed = "node(s) didn't match pod topology spread constraints";
const unlabelled = `${skewed} (missing required label)`;
const spread = (given: Partial<TopologySpreadConstraint> = {}, ...more: readonly Partial<TopologySpreadConstraint>[]): TestPod => ({
  ...web,
  topologySpreadConstraints: [given, ...more].map((constraint) => ({
    maxSkew: 1,
    topologyKey: zone,
    whenUnsatisfiable: 'DoNotSchedule' as const,
    labelSelector: { matchLabels: web.labels },
    ...constraint,
  })),
});
const inZone = (name: string, more: object = {}) => ({ labels: { [zone]: name }, ...more });
/** Two zones of one node each, and a node in none. */
const nodes = { x: inZone('x'), y: inZone('y'), none: {} };

interface Row {
  readonly name: string;
  readonly cluster: TestCluster;
  readonly pod: TestPod;
  readonly want: { readonly [nodeName: string]: string };
}

const rows: readonly Row[] = [
  { name: 'even zones take either', cluster: { nodes }, pod: spread(), want: { x: 'ok', y: 'ok', none: unlabelled } },
  {
    name: 'one more tips the balance',
    cluster: { nodes, pods: { x: { a: web } } },
    pod: spread(),
    want: { x: skewed, y: 'ok', none: unlabelled },
  },
  {
    name: 'a wider skew does not',
    cluster: { nodes, pods: { x: { a: web } } },
    pod: spread({ maxSkew: 2 }),
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'other pods do not count: of another app, another namespace, on their way out',
    cluster: {
      nodes,
      pods: {
        x: { a: { labels: { app: 'db' } }, b: { ...web, namespace: 'other' }, c: { ...web, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      },
    },
    pod: spread(),
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'a pod that its selector does not mean adds nothing itself',
    cluster: { nodes, pods: { x: { a: web } } },
    pod: { ...spread(), labels: {} },
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'no selector means nobody',
    cluster: { nodes, pods: { x: { a: web, b: web } } },
    pod: { ...web, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule' }] },
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'an empty selector counts nobody but the pod',
    cluster: { nodes, pods: { x: { a: web, b: web } } },
    pod: spread({ labelSelector: {} }),
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'too few domains: the least is none',
    cluster: { nodes: { x: inZone('x') }, pods: { x: { a: web } } },
    pod: spread({ minDomains: 2 }),
    want: { x: skewed },
  },
  {
    name: 'enough domains',
    cluster: { nodes: { x: inZone('x') }, pods: { x: { a: web } } },
    pod: spread({ minDomains: 1 }),
    want: { x: 'ok' },
  },
  {
    name: 'zones that the pod can not be in do not count',
    cluster: { nodes: { x: inZone('x'), y: { labels: { [zone]: 'y', disk: 'hdd' } } }, pods: { x: { a: web } } },
    pod: { ...spread(), nodeSelector: { [zone]: 'x' } },
    want: { x: 'ok', y: 'ok' },
  },
  {
    name: 'unless the constraint ignores that',
    cluster: { nodes: { x: inZone('x'), y: inZone('y') }, pods: { x: { a: web } } },
    pod: { ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [zone]: 'x' } },
    want: { x: skewed, y: 'ok' },
  },
  {
    name: 'tainted nodes count',
    cluster: { nodes: { x: inZone('x'), y: inZone('y', { taints: [{ key: 'k', effect: 'NoSchedule' }] }) }, pods: { x: { a: web } } },
    pod: spread(),
    want: { x: skewed, y: 'ok' },
  },
  {
    name: 'unless the constraint honours taints',
    cluster: { nodes: { x: inZone('x'), y: inZone('y', { taints: [{ key: 'k', effect: 'NoSchedule' }] }) }, pods: { x: { a: web } } },
    pod: spread({ nodeTaintsPolicy: 'Honor' }),
    want: { x: 'ok', y: 'ok' },
  },
  {
    name: 'own values of label keys narrow the selector',
    cluster: { nodes, pods: { x: { a: { labels: { app: 'web', version: '1' } } } } },
    pod: { ...spread({ matchLabelKeys: ['version'] }), labels: { app: 'web', version: '2' } },
    want: { x: 'ok', y: 'ok', none: unlabelled },
  },
  {
    name: 'all constraints hold; nodes that lack a key of one count for none',
    cluster: { nodes: { ...nodes, x2: inZone('x') }, pods: { x: { a: web }, y: { b: web }, none: { c: web, d: web } } },
    pod: spread({}, { topologyKey: hostname }),
    want: { x: skewed, y: skewed, none: unlabelled, x2: 'ok' },
  },
];

for (const { name, cluster, pod, want } of rows) {
  test(`PodTopologySpread: ${name}`, () => assert.deepEqual(verdictsOf(plugin, cluster, testFacts('p', pod)), want));
}

test('PodTopologySpread: soft constraints prefer emptier domains', () => {
  const soft = { whenUnsatisfiable: 'ScheduleAnyway' as const };
  const cluster = { nodes, pods: { x: { a: web, b: web }, y: { c: web } } };
  assert.deepEqual(pluginScores(plugin, cluster, testFacts('p', spread(soft))), { none: 0, x: 66, y: 200 });
  assert.deepEqual(pluginScores(plugin, cluster, testFacts('p', spread({ ...soft, topologyKey: hostname }))), { none: 200, x: 0, y: 66 });
});

test('PodTopologySpread: pods without constraints are spread by their workload', () => {
  const byWorkload = podTopologySpread(({ labels }) => labelMatcherOfMap(labels));
  const cluster = { nodes, pods: { x: { a: web, b: web }, y: { c: web } } };
  assert.deepEqual(pluginScores(byWorkload, cluster, testFacts('p', web)), { none: 200, x: 32, y: 82 });
  assert.deepEqual(pluginScores(plugin, cluster, testFacts('p', web)), { none: 0, x: 0, y: 0 });
});

test('PodTopologySpread: what helps', () => {
  const pod = testFacts('p', spread());
  const db = testFacts('q', { labels: { app: 'db' } });
  const same = testFacts('q', web);
  const x = testNode('n', inZone('x'));
  const rows = [
    ['a node with the key', { type: 'node-added', node: x }, true],
    ['a node without it', { type: 'node-added', node: testNode('n') }, false],
    ['a node with the key that is gone', { type: 'node-removed', old: x }, true],
    ['a node that moved', { type: 'node-changed', node: testNode('n', inZone('y')), old: x }, true],
    ['a node with another label', { type: 'node-changed', node: testNode('n', { labels: { [zone]: 'x', a: 'b' } }), old: x }, false],
    ['a matching pod that came', { type: 'pod-assigned', pod: same }, true],
    ['another pod that came', { type: 'pod-assigned', pod: db }, false],
    ['a matching pod that went', { type: 'pod-removed', old: same }, true],
    ['a matching pod of another namespace', { type: 'pod-removed', old: testFacts('q', { ...web, namespace: 'other' }) }, false],
    ['a pod that matches no longer', { type: 'pod-changed', pod: db, old: same }, true],
    ['a pod with another label', { type: 'pod-changed', pod: same, old: same }, false],
    [
      'a matching pod begins to leave',
      { type: 'pod-changed', pod: testFacts('q', { ...web, deletionTimestamp: '2026-01-01T00:00:00Z' }), old: same },
      true,
    ],
    ['the pod has another label', { type: 'own-pod-changed', pod, old: testFacts('p', { ...spread(), labels: {} }) }, true],
  ] as const;
  for (const [name, event, want] of rows) assert.equal(isHelped(plugin, pod, event), want, name);
});
