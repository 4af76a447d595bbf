import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node } from '../../api/generated/core-v1.ts';
import { marksOf, planMarks } from './node-marks.ts';

const role = 'node-role.kubernetes.io/control-plane';
const taint = { key: 'timonier.dev/simulated', value: 'true', effect: 'NoSchedule' };
const other = { key: 'a', effect: 'NoExecute' };
const node = (name: string, labels: object = {}, taints: readonly object[] = []): Node =>
  ({ metadata: { name, labels }, spec: { taints } }) as never;
const simulated = (number: number, labels: object = {}, taints: readonly object[] = []): Node =>
  node(`c-simulated-${number}`, { 'timonier.dev/simulated': 'true', ...labels }, taints);
const labelled = (value: string | null) => ({ metadata: { labels: { [role]: value } } });
const tainted = (...taints: object[]) => ({ spec: { taints } });

describe('marks of nodes', () => {
  const table = [
    { name: 'the first real node gets the role', given: node('c-1'), real: 1, want: labelled('') },
    { name: 'the first real node that has the role', given: node('c-1', { [role]: '' }), real: 1, want: undefined },
    { name: 'a further real node', given: node('c-2'), real: 2, want: undefined },
    { name: 'the first simulated node alone', given: simulated(1), real: 0, want: labelled('') },
    { name: 'a further simulated node', given: simulated(2), real: 0, want: undefined },
    { name: 'a role that somebody gave', given: simulated(2, { [role]: '' }), real: 0, want: undefined },
    { name: 'a simulated node beside real ones', given: simulated(2), real: 1, want: tainted(taint) },
    { name: 'one that is tainted', given: simulated(2, {}, [taint]), real: 1, want: undefined },
    { name: 'one with a taint of others', given: simulated(2, {}, [other]), real: 1, want: tainted(other, taint) },
    { name: 'the first real node has come', given: simulated(1, { [role]: '' }), real: 1, want: { ...labelled(null), ...tainted(taint) } },
    { name: 'the last real node has gone', given: simulated(1, {}, [taint, other]), real: 0, want: { ...labelled(''), ...tainted(other) } },
    { name: 'a real node with a taint of that key is its owner’s affair', given: node('c-2', {}, [taint]), real: 0, want: undefined },
  ];
  for (const { name, given, real, want } of table) {
    it(name, () => assert.deepEqual(planMarks(given, marksOf('c', { real })), want));
  }
});
