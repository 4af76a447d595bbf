import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHelped, pluginScores, testFacts, testNode, verdictsOf } from '../../../../test/kit/scheduler-objects.ts';
import type { Taint, Toleration } from '../../../api/generated/core-v1.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { taintToleration } from './taint-toleration.ts';

const taint = (effect: Taint['effect'], key = 'k', value = 'v'): Taint => ({ key, value, effect });

const rows: readonly { readonly name: string; readonly taint: Taint; readonly toleration?: Toleration; readonly isKept: boolean }[] = [
  { name: 'NoSchedule keeps pods away', taint: taint('NoSchedule'), isKept: true },
  { name: 'NoExecute keeps pods away', taint: taint('NoExecute'), isKept: true },
  { name: 'PreferNoSchedule does not', taint: taint('PreferNoSchedule'), isKept: false },
  { name: 'the same value', taint: taint('NoSchedule'), toleration: { key: 'k', operator: 'Equal', value: 'v' }, isKept: false },
  { name: 'Equal is meant where none is named', taint: taint('NoSchedule'), toleration: { key: 'k', value: 'v' }, isKept: false },
  { name: 'another value', taint: taint('NoSchedule'), toleration: { key: 'k', value: 'w' }, isKept: true },
  { name: 'any value', taint: taint('NoSchedule'), toleration: { key: 'k', operator: 'Exists' }, isKept: false },
  { name: 'any taint', taint: taint('NoExecute'), toleration: { operator: 'Exists' }, isKept: false },
  { name: 'another effect', taint: taint('NoExecute'), toleration: { key: 'k', operator: 'Exists', effect: 'NoSchedule' }, isKept: true },
  { name: 'no value on both sides', taint: { key: 'k', effect: 'NoSchedule' }, toleration: { key: 'k', operator: 'Equal' }, isKept: false },
  {
    name: 'an operator that is not enabled',
    taint: taint('NoSchedule', 'k', '5'),
    toleration: { key: 'k', operator: 'Gt', value: '3' },
    isKept: true,
  },
];

for (const { name, taint, toleration, isKept } of rows) {
  test(`TaintToleration: ${name}`, () => {
    const pod = testFacts('p', { ...(toleration && { tolerations: [toleration] }) });
    const want = isKept ? 'node(s) had untolerated taint(s)' : 'ok';
    assert.deepEqual(verdictsOf(taintToleration, { nodes: { a: { taints: [taint] } } }, pod), { a: want });
    assert.equal(isHelped(taintToleration, pod, { type: 'node-added', node: testNode('a', { taints: [taint] }) }), !isKept);
  });
}

test('TaintToleration: nodes that would rather not are worse', () => {
  const nodes = {
    none: {},
    one: { taints: [taint('PreferNoSchedule', 'a')] },
    two: { taints: [taint('PreferNoSchedule', 'a'), taint('PreferNoSchedule', 'b')] },
  };
  assert.deepEqual(pluginScores(taintToleration, { nodes }, testFacts('p')), { none: 300, one: 150, two: 0 });
  const tolerant = testFacts('p', {
    tolerations: [
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'Exists', effect: 'NoSchedule' },
    ],
  });
  assert.deepEqual(pluginScores(taintToleration, { nodes }, tolerant), { none: 300, one: 300, two: 0 });
});

test('TaintToleration: what helps', () => {
  const pod = testFacts('p');
  const tainted = testNode('a', { taints: [taint('NoSchedule')] });
  const rows = [
    [{ type: 'node-changed', node: testNode('a'), old: tainted }, true],
    [{ type: 'node-changed', node: tainted, old: testNode('a') }, false],
    [{ type: 'node-changed', node: testNode('a'), old: testNode('a') }, false],
    [{ type: 'own-pod-changed', pod: testFacts('p', { tolerations: [{ operator: 'Exists' }] }), old: pod }, true],
  ] as const;
  for (const [event, want] of rows) assert.equal(isHelped(taintToleration, 'pod' in event ? event.pod : pod, event), want);
});

test('NodeUnschedulable: a cordoned node takes who tolerates it', () => {
  const nodes = { a: { unschedulable: true }, b: {} };
  const tolerant = testFacts('p', { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] });
  assert.deepEqual(verdictsOf(nodeUnschedulable, { nodes }, testFacts('p')), { a: 'node(s) were unschedulable', b: 'ok' });
  assert.deepEqual(verdictsOf(nodeUnschedulable, { nodes }, tolerant), { a: 'ok', b: 'ok' });
  const cordoned = testNode('a', { unschedulable: true });
  const uncordon = { type: 'node-changed' as const, node: testNode('a'), old: cordoned };
  assert.equal(isHelped(nodeUnschedulable, testFacts('p'), uncordon), true);
  assert.equal(isHelped(nodeUnschedulable, testFacts('p'), { type: 'node-changed', node: cordoned, old: cordoned }), false);
});
