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
import type { PodAffinityTerm } from '../../../api/generated/core-v1.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';

const web = { labels: { app: 'web' } };
const db = { labels: { app: 'db' } };
const notTogether = "node(s) didn't match pod affinity rules";
const notApart = "node(s) didn't match pod anti-affinity rules";
const refused = "node(s) didn't satisfy existing pods anti-affinity rules";

type Term = Partial<PodAffinityTerm>;
const term = (app: string, given: Term = {}): PodAffinityTerm => ({
  topologyKey: zone,
  labelSelector: { matchLabels: { app } },
  ...given,
});
const weighted = (weight: number, podAffinityTerm: PodAffinityTerm) => ({ weight, podAffinityTerm });
const together = (...terms: readonly PodAffinityTerm[]): TestPod => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const apart = (...terms: readonly PodAffinityTerm[]): TestPod => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
/** Zone x of two nodes, zone y of one, and a node in none. */
const nodes = { x1: { labels: { [zone]: 'x' } }, x2: { labels: { [zone]: 'x' } }, y: { labels: { [zone]: 'y' } }, none: {} };
const namespaces = { default: { team: 'a' }, other: { team: 'b' } };

interface Row {
  readonly name: string;
  readonly pods?: TestCluster['pods'];
  readonly pod: TestPod;
  readonly want: readonly [x1: string, x2: string, y: string, none: string];
}

const rows: readonly Row[] = [
  {
    name: 'with the others, in their zone',
    pods: { x1: { a: web } },
    pod: together(term('web')),
    want: ['ok', 'ok', notTogether, notTogether],
  },
  {
    name: 'with the others, on their host',
    pods: { x1: { a: web } },
    pod: together(term('web', { topologyKey: hostname })),
    want: ['ok', notTogether, notTogether, notTogether],
  },
  {
    name: 'nobody is there, and it does not mean itself',
    pod: together(term('web')),
    want: [notTogether, notTogether, notTogether, notTogether],
  },
  { name: 'the first of its own', pod: { ...web, ...together(term('web')) }, want: ['ok', 'ok', 'ok', notTogether] },
  {
    name: 'the second of its own',
    pods: { y: { a: web } },
    pod: { ...web, ...together(term('web')) },
    want: [notTogether, notTogether, 'ok', notTogether],
  },
  {
    name: 'others that are in no zone do not count',
    pods: { none: { a: web } },
    pod: { ...web, ...together(term('web')) },
    want: ['ok', 'ok', 'ok', notTogether],
  },
  {
    name: 'pods of other namespaces do not count',
    pods: { x1: { a: { ...web, namespace: 'other' } } },
    pod: together(term('web')),
    want: [notTogether, notTogether, notTogether, notTogether],
  },
  {
    name: 'unless the term names theirs',
    pods: { x1: { a: { ...web, namespace: 'other' } } },
    pod: together(term('web', { namespaces: ['other'] })),
    want: ['ok', 'ok', notTogether, notTogether],
  },
  {
    name: 'or selects it',
    pods: { x1: { a: { ...web, namespace: 'other' } } },
    pod: together(term('web', { namespaceSelector: { matchLabels: { team: 'b' } } })),
    want: ['ok', 'ok', notTogether, notTogether],
  },
  {
    name: 'or takes all',
    pods: { x1: { a: { ...web, namespace: 'other' } } },
    pod: together(term('web', { namespaceSelector: {} })),
    want: ['ok', 'ok', notTogether, notTogether],
  },
  {
    name: 'one pod has to be meant by all terms',
    pods: { x1: { a: web }, y: { b: { labels: { app: 'web', tier: 'front' } } } },
    pod: together(term('web'), { topologyKey: zone, labelSelector: { matchLabels: { tier: 'front' } } }),
    want: [notTogether, notTogether, 'ok', notTogether],
  },
  {
    name: 'pods on their way out still count',
    pods: { x1: { a: { ...web, deletionTimestamp: '2026-01-01T00:00:00Z' } } },
    pod: together(term('web')),
    want: ['ok', 'ok', notTogether, notTogether],
  },
  { name: 'apart from others', pods: { x1: { a: web } }, pod: apart(term('web')), want: [notApart, notApart, 'ok', 'ok'] },
  {
    name: 'apart from any of several',
    pods: { x1: { a: web }, y: { b: db } },
    pod: apart(term('web', { topologyKey: hostname }), term('db')),
    want: [notApart, 'ok', notApart, 'ok'],
  },
  {
    name: 'those that are there want to be apart',
    pods: { y: { a: { ...db, ...apart(term('web')) } } },
    pod: web,
    want: ['ok', 'ok', refused, 'ok'],
  },
  {
    name: 'they mean their own namespace',
    pods: { y: { a: { ...db, namespace: 'other', ...apart(term('web')) } } },
    pod: web,
    want: ['ok', 'ok', 'ok', 'ok'],
  },
  {
    name: 'or one that they select',
    pods: { y: { a: { ...db, namespace: 'other', ...apart(term('web', { namespaceSelector: { matchLabels: { team: 'a' } } })) } } },
    pod: web,
    want: ['ok', 'ok', refused, 'ok'],
  },
];

for (const { name, pods = {}, pod, want } of rows) {
  test(`InterPodAffinity: ${name}`, () => {
    const [x1, x2, y, none] = want;
    assert.deepEqual(verdictsOf(interPodAffinity, { nodes, pods, namespaces }, testFacts('p', pod)), { x1, x2, y, none });
  });
}

const preferred = (affinity: 'podAffinity' | 'podAntiAffinity', weight: number, of: PodAffinityTerm): TestPod => ({
  affinity: { [affinity]: { preferredDuringSchedulingIgnoredDuringExecution: [weighted(weight, of)] } },
});

const scoreRows: readonly (Omit<Row, 'want'> & { readonly want: readonly [x1: number, x2: number, y: number, none: number] })[] = [
  { name: 'nothing is wished', pods: { x1: { a: web } }, pod: web, want: [0, 0, 0, 0] },
  { name: 'wishes to be with others', pods: { x1: { a: web } }, pod: preferred('podAffinity', 10, term('web')), want: [200, 200, 0, 0] },
  {
    name: 'the more, the better',
    pods: { x1: { a: web, b: web }, y: { c: web } },
    pod: preferred('podAffinity', 10, term('web')),
    want: [200, 200, 100, 0],
  },
  { name: 'wishes to be apart', pods: { x1: { a: web } }, pod: preferred('podAntiAffinity', 10, term('web')), want: [0, 0, 200, 200] },
  {
    name: 'those that are there wish it to come',
    pods: { y: { a: { ...db, ...preferred('podAffinity', 10, term('web')) } } },
    pod: web,
    want: [0, 0, 200, 0],
  },
  {
    name: 'those that are there wish it to stay away',
    pods: { y: { a: { ...db, ...preferred('podAntiAffinity', 10, term('web')) } } },
    pod: web,
    want: [200, 200, 0, 200],
  },
  {
    name: 'what they require counts as a small wish',
    pods: { y: { a: { ...db, ...together(term('web')) } } },
    pod: web,
    want: [0, 0, 200, 0],
  },
  {
    name: 'wishes of both sides add up',
    pods: { y: { a: { ...db, ...preferred('podAffinity', 5, term('web')) } }, x1: { b: db } },
    pod: { ...web, ...preferred('podAffinity', 10, term('db', { topologyKey: hostname })) },
    want: [132, 0, 200, 0],
  },
];

for (const { name, pods = {}, pod, want } of scoreRows) {
  test(`InterPodAffinity: ${name}`, () => {
    const [x1, x2, y, none] = want;
    assert.deepEqual(pluginScores(interPodAffinity, { nodes, pods, namespaces }, testFacts('p', pod)), { none, x1, x2, y });
  });
}

test('InterPodAffinity: what helps', () => {
  const near = testFacts('p', together(term('web')));
  const far = testFacts('p', apart(term('web')));
  const plain = testFacts('p', web);
  const other = testFacts('q', web);
  const stranger = testFacts('q', { ...web, namespace: 'other' });
  const x = testNode('n', nodes.x1);
  const y = testNode('n', nodes.y);
  const rows = [
    ['a pod that it wants to be with came', near, { type: 'pod-assigned', pod: other }, true],
    ['another came', near, { type: 'pod-assigned', pod: stranger }, false],
    ['one came that it wants to be apart from', far, { type: 'pod-assigned', pod: other }, false],
    ['one became what it wants', near, { type: 'pod-changed', pod: other, old: testFacts('q', db) }, true],
    ['one is no longer what it shuns', far, { type: 'pod-changed', pod: testFacts('q', db), old: other }, true],
    ['one that it shuns went', far, { type: 'pod-removed', old: other }, true],
    ['one that it wants went', near, { type: 'pod-removed', old: other }, false],
    ['one that shuns it went', plain, { type: 'pod-removed', old: testFacts('q', { ...db, ...apart(term('web')) }) }, true],
    ['a node with the key came', near, { type: 'node-added', node: x }, true],
    ['a node without it came', near, { type: 'node-added', node: testNode('n') }, false],
    ['any node came', far, { type: 'node-added', node: testNode('n') }, true],
    ['a node moved', near, { type: 'node-changed', node: y, old: x }, true],
    ['a node got the key', near, { type: 'node-changed', node: x, old: testNode('n') }, true],
    ['a node lost the key', far, { type: 'node-changed', node: testNode('n'), old: x }, true],
    ['a node got the key', far, { type: 'node-changed', node: x, old: testNode('n') }, false],
    ['a node got room', far, { type: 'node-changed', node: x, old: x }, false],
  ] as const;
  for (const [name, pod, event, want] of rows) assert.equal(isHelped(interPodAffinity, pod, event), want, name);
});
