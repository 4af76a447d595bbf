import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../api/generated/kinds.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { planPodDeletion } from './pod-deletion-order.ts';

const nowMs = Date.UTC(2026, 0, 2);
interface Given {
  readonly node?: string;
  readonly phase?: 'Pending' | 'Running';
  readonly readyForS?: number;
  readonly ageS?: number;
  readonly restarts?: number;
  readonly cost?: string;
}
const pod = (name: string, { node = 'a', phase = 'Running', readyForS = 3600, ageS = 7200, restarts = 0, cost }: Given = {}): Pod =>
  ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: formatTime(nowMs - ageS * 1000),
      ...(cost && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { ...(node && { nodeName: node }), containers: [] },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: readyForS > 0 ? 'True' : 'False', lastTransitionTime: formatTime(nowMs - readyForS * 1000) }],
      containerStatuses: [{ restartCount: restarts }],
    },
  }) as unknown as Pod;

const cases: { name: string; first: Pod; second: Pod }[] = [
  { name: 'not assigned', first: pod('z', { node: '' }), second: pod('a', { phase: 'Pending' }) },
  { name: 'pending', first: pod('z', { phase: 'Pending' }), second: pod('a') },
  { name: 'not ready', first: pod('z', { readyForS: 0 }), second: pod('a', { cost: '-5' }) },
  { name: 'lower deletion cost', first: pod('z', { cost: '-5' }), second: pod('a', { restarts: 9 }) },
  { name: 'ready for a shorter time, by magnitude', first: pod('z', { readyForS: 60 }), second: pod('a', { restarts: 9 }) },
  { name: 'more restarts', first: pod('z', { restarts: 2 }), second: pod('a', { restarts: 1, ageS: 60 }) },
  { name: 'younger, by magnitude', first: pod('z', { ageS: 60 }), second: pod('a') },
  { name: 'of like pods, chance', first: pod('a', { ageS: 7300 }), second: pod('z', { ageS: 7200 }) },
];
for (const { name, first, second } of cases) {
  test(`goes first: ${name}`, () => {
    assert.deepEqual(planPodDeletion([second, first], [], 1, nowMs), [first]);
    assert.deepEqual(planPodDeletion([first, second], [], 1, nowMs), [first]);
  });
}

test('goes first: the one with more siblings on its node', () => {
  const crowded = pod('z', { node: 'crowded' });
  const alone = pod('a', { node: 'empty' });
  assert.deepEqual(planPodDeletion([alone, crowded], [alone, crowded, pod('other', { node: 'crowded' })], 1, nowMs), [crowded]);
});

test('when all go, nothing is ordered', () => {
  const pods = [pod('b'), pod('a')];
  assert.equal(planPodDeletion(pods, [], 2, nowMs), pods);
});
