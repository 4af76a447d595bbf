import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHelped, pluginScores, type TestPod, testFacts, testNode, verdictsOf } from '../../../../test/kit/scheduler-objects.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../../api/generated/core-v1.ts';
import { nodeAffinity } from './node-affinity.ts';

const required = (...nodeSelectorTerms: readonly NodeSelectorTerm[]): TestPod => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const labels = (key: string, operator: NodeSelectorRequirement['operator'], ...values: readonly string[]): NodeSelectorRequirement => ({
  key,
  operator,
  values,
});
const named = (...names: readonly string[]): NodeSelectorTerm => ({ matchFields: [labels('metadata.name', 'In', ...names)] });
const other = "node(s) didn't match Pod's node affinity/selector";
const notNamed = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
const nodes = { a: { labels: { disk: 'ssd', gen: '3' } }, b: { labels: { disk: 'hdd', gen: '10' } }, c: { labels: { gen: 'x' } } };

const rows: readonly { readonly name: string; readonly pod: TestPod; readonly want: readonly [a: string, b: string, c: string] }[] = [
  { name: 'nothing is asked for', pod: {}, want: ['ok', 'ok', 'ok'] },
  { name: 'a node selector', pod: { nodeSelector: { disk: 'ssd' } }, want: ['ok', other, other] },
  { name: 'In', pod: required({ matchExpressions: [labels('disk', 'In', 'ssd', 'nvme')] }), want: ['ok', other, other] },
  {
    name: 'NotIn takes a node without the label',
    pod: required({ matchExpressions: [labels('disk', 'NotIn', 'ssd')] }),
    want: [other, 'ok', 'ok'],
  },
  { name: 'Exists', pod: required({ matchExpressions: [labels('disk', 'Exists')] }), want: ['ok', 'ok', other] },
  { name: 'DoesNotExist', pod: required({ matchExpressions: [labels('disk', 'DoesNotExist')] }), want: [other, other, 'ok'] },
  {
    name: 'Gt and Lt compare what is an int64 only',
    pod: required(
      { matchExpressions: [labels('gen', 'Lt', '9'.repeat(1_000_000))] },
      { matchExpressions: [labels('gen', 'Lt', '9223372036854775808')] },
    ),
    want: [other, other, other],
  },
  { name: 'Gt compares numbers', pod: required({ matchExpressions: [labels('gen', 'Gt', '3')] }), want: [other, 'ok', other] },
  { name: 'Lt compares numbers', pod: required({ matchExpressions: [labels('gen', 'Lt', '10')] }), want: ['ok', other, other] },
  {
    name: 'all of a term hold, one of the terms is enough',
    pod: required(
      { matchExpressions: [labels('disk', 'Exists'), labels('gen', 'Gt', '5')] },
      { matchExpressions: [labels('gen', 'In', 'x')] },
    ),
    want: [other, 'ok', 'ok'],
  },
  { name: 'an empty term takes none', pod: required({}), want: [other, other, other] },
  {
    name: 'selector and affinity both hold',
    pod: { nodeSelector: { disk: 'ssd' }, ...required({ matchExpressions: [labels('gen', 'Gt', '5')] }) },
    want: [other, other, other],
  },
  { name: 'names what it takes: others are not looked at', pod: required(named('b')), want: [notNamed, 'ok', notNamed] },
  { name: 'one of several names', pod: required(named('b'), named('c')), want: [notNamed, 'ok', 'ok'] },
  { name: 'a named node must fit too', pod: { nodeSelector: { disk: 'ssd' }, ...required(named('b')) }, want: [notNamed, other, notNamed] },
  {
    name: 'a term without a name opens all',
    pod: required(named('b'), { matchExpressions: [labels('disk', 'In', 'ssd')] }),
    want: ['ok', 'ok', other],
  },
  {
    name: 'names that exclude each other',
    pod: required({ matchFields: [labels('metadata.name', 'In', 'a'), labels('metadata.name', 'In', 'b')] }),
    want: ['pod affinity terms conflict', 'pod affinity terms conflict', 'pod affinity terms conflict'],
  },
  { name: 'a name that nobody has', pod: required(named('z')), want: [notNamed, notNamed, notNamed] },
];

for (const { name, pod, want } of rows) {
  test(`NodeAffinity: ${name}`, () => {
    const [a, b, c] = want;
    assert.deepEqual(verdictsOf(nodeAffinity, { nodes }, testFacts('p', pod)), { a, b, c });
  });
}

test('NodeAffinity: preferences add up, and the best node gets all', () => {
  const prefer = (weight: number, ...matchExpressions: readonly NodeSelectorRequirement[]) => ({
    weight,
    preference: { matchExpressions },
  });
  const preferredDuringSchedulingIgnoredDuringExecution = [
    prefer(30, labels('disk', 'Exists')),
    prefer(10, labels('disk', 'In', 'ssd')),
    prefer(50),
  ];
  const pod = testFacts('p', { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution } } });
  assert.deepEqual(pluginScores(nodeAffinity, { nodes }, pod), { a: 200, b: 150, c: 0 });
});

test('NodeAffinity: what helps', () => {
  const pod = testFacts('p', { nodeSelector: { disk: 'ssd' } });
  const ssd = testNode('n', { labels: { disk: 'ssd' } });
  const hdd = testNode('n', { labels: { disk: 'hdd' } });
  const rows = [
    [{ type: 'node-added', node: ssd }, true],
    [{ type: 'node-added', node: hdd }, false],
    [{ type: 'node-changed', node: ssd, old: hdd }, true],
    [{ type: 'node-changed', node: ssd, old: ssd }, false],
    [{ type: 'node-changed', node: hdd, old: ssd }, false],
    [{ type: 'pod-removed', old: pod }, false],
  ] as const;
  for (const [event, want] of rows) assert.equal(isHelped(nodeAffinity, pod, event), want, event.type);
});
