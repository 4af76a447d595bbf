import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isHelped,
  pluginScores,
  type TestNode,
  type TestPod,
  testFacts,
  testNode,
  testSelector,
  testTable,
  verdictsOf,
} from '../../../../test/kit/scheduler-objects.ts';
import { nodeResourcesBalancedAllocation, nodeResourcesFit } from './node-resources.ts';

interface FitRow {
  readonly name: string;
  readonly node?: TestNode['allocatable'];
  readonly there?: TestPod['requests'];
  readonly wanted: TestPod['requests'];
  readonly want: string;
  /** removing pods would not help */
  readonly isForGood?: boolean;
}

const fitRows: readonly FitRow[] = [
  { name: 'fits exactly', there: { cpu: '3', memory: '4Gi' }, wanted: { cpu: '1', memory: '4Gi' }, want: 'ok' },
  { name: 'cpu is short', there: { cpu: '3500m' }, wanted: { cpu: '501m' }, want: 'Insufficient cpu' },
  {
    name: 'everything is short',
    there: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' },
    wanted: { cpu: '1m', memory: '1', 'ephemeral-storage': '1' },
    want: 'Insufficient cpu, Insufficient memory, Insufficient ephemeral-storage',
  },
  { name: 'nothing asked for fits a node that is overcommitted', there: { cpu: '9' }, wanted: {}, want: 'ok' },
  { name: 'what is not asked for does not matter', there: { cpu: '9' }, wanted: { memory: '1Gi' }, want: 'ok' },
  { name: 'the node has no place', node: { pods: '1' }, there: {}, wanted: {}, want: 'Too many pods' },
  { name: 'more than the node has', wanted: { cpu: '5' }, want: 'Insufficient cpu', isForGood: true },
  {
    name: 'an extended resource that the node lacks',
    wanted: { 'example.com/gpu': '1' },
    want: 'Insufficient example.com/gpu',
    isForGood: true,
  },
  {
    name: 'an extended resource that is taken',
    node: { 'example.com/gpu': '2' },
    there: { 'example.com/gpu': '2' },
    wanted: { 'example.com/gpu': '1' },
    want: 'Insufficient example.com/gpu',
  },
  { name: 'none of an extended resource', wanted: { 'example.com/gpu': '0' }, want: 'ok' },
];

for (const { name, node, there, wanted, want, isForGood } of fitRows) {
  test(`NodeResourcesFit: ${name}`, () => {
    const nodes = { a: { allocatable: node } };
    const cluster = { nodes, pods: { a: { ...(there && { other: { requests: there } }) } } };
    const pod = testFacts('p', { requests: wanted });
    assert.deepEqual(verdictsOf(nodeResourcesFit, cluster, pod), { a: want });
    const [rejection] = testSelector(testTable(cluster), { plugins: [nodeResourcesFit] })
      .explain(pod)
      .values();
    assert.equal(rejection?.unresolvable ?? false, isForGood ?? false);
  });
}

test('NodeResourcesFit: the emptier node is better, by whole parts', () => {
  const nodes = { empty: {}, half: {}, full: {}, small: { allocatable: { cpu: '1', memory: '1Gi' } } };
  const pods = { half: { h: { requests: { cpu: '2', memory: '4Gi' } } }, full: { f: { requests: { cpu: '3', memory: '7Gi' } } } };
  const pod = testFacts('p', { requests: { cpu: '1', memory: '1Gi' } });
  assert.deepEqual(pluginScores(nodeResourcesFit, { nodes, pods }, pod), { empty: 81, half: 31, full: 0, small: 0 });
});

test('NodeResourcesFit: pods that ask for nothing count as a little', () => {
  const nodes = { a: {}, b: {} };
  const pods = { b: { x: {}, y: {} } };
  assert.deepEqual(pluginScores(nodeResourcesFit, { nodes, pods }, testFacts('p')), { a: 97, b: 92 });
});

interface BalanceRow {
  readonly name: string;
  readonly node?: TestNode['allocatable'];
  readonly there?: TestPod['requests'];
  readonly wanted?: TestPod['requests'];
  readonly want: number;
}

const balanceRows: readonly BalanceRow[] = [
  { name: 'nothing is asked for', there: { cpu: '3' }, want: 0 },
  { name: 'stays as even as it was', wanted: { cpu: '1', memory: '2Gi' }, want: 75 },
  { name: 'becomes uneven', wanted: { cpu: '2' }, want: 62 },
  { name: 'becomes even', there: { cpu: '2' }, wanted: { memory: '4Gi' }, want: 87 },
  { name: 'a node without memory can only be even', node: { memory: '0' }, wanted: { cpu: '1' }, want: 75 },
];

for (const { name, node, there, wanted, want } of balanceRows) {
  test(`NodeResourcesBalancedAllocation: ${name}`, () => {
    const nodes = { a: { allocatable: node } };
    const cluster = { nodes, pods: { a: { ...(there && { other: { requests: there } }) } } };
    const pod = testFacts('p', { requests: wanted });
    assert.deepEqual(pluginScores(nodeResourcesBalancedAllocation, cluster, pod), { a: want });
  });
}

test('NodeResourcesFit: what helps', () => {
  const pod = testFacts('p', { requests: { cpu: '2' } });
  const node = (cpu: string, more: TestNode = {}) => testNode('n', { ...more, allocatable: { cpu } });
  const facts = (requests: TestPod['requests']) => testFacts('q', { requests });
  const rows = [
    ['a node that is big enough', { type: 'node-added', node: node('2') }, true],
    ['a node that is too small', { type: 'node-added', node: node('1') }, false],
    ['a node that grew enough', { type: 'node-changed', node: node('4'), old: node('3') }, true],
    ['a node that grew, and is still too small', { type: 'node-changed', node: node('1500m'), old: node('1') }, false],
    ['a node with other labels', { type: 'node-changed', node: node('4', { labels: { x: 'y' } }), old: node('4') }, false],
    ['a pod that left', { type: 'pod-removed', old: facts({}) }, true],
    ['a pod that takes less of it', { type: 'pod-changed', pod: facts({ cpu: '1' }), old: facts({ cpu: '2' }) }, true],
    [
      'a pod that takes less of something else',
      { type: 'pod-changed', pod: facts({ cpu: '1' }), old: facts({ cpu: '1', memory: '1Gi' }) },
      false,
    ],
    ['a pod that came', { type: 'pod-assigned', pod: facts({}) }, false],
    ['the pod itself asks for less', { type: 'own-pod-changed', pod, old: facts({ cpu: '3' }) }, true],
  ] as const;
  for (const [name, event, want] of rows) assert.equal(isHelped(nodeResourcesFit, pod, event), want, name);
});
