import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint } from '../../../api/generated/core-v1.ts';
import type { Node } from '../../../api/generated/kinds.ts';
import { nextTaints, zoneStates } from './node-health.ts';

const node = (ready: string, zone = '', spec: Node['spec'] = {}): Node =>
  ({
    metadata: { labels: { 'topology.kubernetes.io/zone': zone } },
    spec,
    status: { conditions: [{ type: 'Ready', status: ready }] },
  }) as unknown as Node;
const many = (count: number, ready: string, zone = ''): Node[] => Array.from({ length: count }, () => node(ready, zone));

const zones: { name: string; nodes: Node[]; want: string }[] = [
  { name: 'all well', nodes: many(3, 'True'), want: 'normal' },
  { name: 'two of three are few', nodes: [...many(2, 'Unknown'), node('True')], want: 'normal' },
  { name: 'three of five are many', nodes: [...many(3, 'Unknown'), ...many(2, 'True')], want: 'partial disruption' },
  { name: 'none is left', nodes: many(2, 'False'), want: 'full disruption' },
];
for (const { name, nodes, want } of zones) test(`zone: ${name}`, () => assert.equal(zoneStates(nodes).get('/')?.state, want));

test('zones are judged apart', () => {
  const states = zoneStates([...many(2, 'Unknown', 'a'), ...many(2, 'True', 'b')]);
  assert.deepEqual(
    [...states.values()].map(({ state }) => state),
    ['full disruption', 'normal'],
  );
});

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' as const };
const foreign: Taint = { key: 'example.com/k', effect: 'NoExecute' };
const taints: { name: string; node: Node; evicts: boolean; want: string[] | undefined }[] = [
  { name: 'nothing to do', node: node('True', '', { taints: [foreign] }), evicts: true, want: undefined },
  { name: 'not ready', node: node('False'), evicts: true, want: ['not-ready NoSchedule', 'not-ready NoExecute'] },
  { name: 'not ready, not its turn', node: node('False'), evicts: false, want: ['not-ready NoSchedule'] },
  {
    name: 'from not ready to unreachable',
    node: node('Unknown', '', { taints: [notReady] }),
    evicts: true,
    want: ['unreachable NoSchedule', 'unreachable NoExecute'],
  },
  { name: 'well again, foreign taints stay', node: node('True', '', { taints: [foreign, notReady] }), evicts: true, want: ['k NoExecute'] },
];
for (const { name, node: given, evicts, want } of taints) {
  test(`taints: ${name}`, () =>
    assert.deepEqual(
      nextTaints(given, evicts, 0)?.map(({ key, effect }) => `${key.split('/')[1]} ${effect}`),
      want,
    ));
}
