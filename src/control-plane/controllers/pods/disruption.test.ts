import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodDisruptionBudget } from '../../../api/generated/kinds.ts';
import { nextBudgetStatus } from './disruption.ts';

const budget = { metadata: { generation: 1 }, spec: {}, status: {} } as unknown as PodDisruptionBudget;
const pod = (name: string, ready: boolean, terminating = false): Pod =>
  ({
    metadata: { name, ...(terminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as unknown as Pod;
const pods = [pod('a', true), pod('b', true), pod('c', false), pod('d', true, true)];

const cases = [
  { name: 'one more healthy than needed', desiredHealthy: 1, expectedPods: 4, disrupted: {}, allowed: 1, reason: 'SufficientPods' },
  { name: 'just enough', desiredHealthy: 2, expectedPods: 4, disrupted: {}, allowed: 0, reason: 'InsufficientPods' },
  {
    name: 'one eviction is under way',
    desiredHealthy: 1,
    expectedPods: 4,
    disrupted: { a: 'now' },
    allowed: 0,
    reason: 'InsufficientPods',
  },
  { name: 'nothing is expected', desiredHealthy: 0, expectedPods: 0, disrupted: {}, allowed: 0, reason: 'InsufficientPods' },
];
for (const { name, desiredHealthy, expectedPods, disrupted: disruptedPods, allowed, reason } of cases) {
  test(name, () => {
    const status = nextBudgetStatus(budget, { pods, disruptedPods, expectedPods, desiredHealthy, nowMs: 0 });
    assert.deepEqual([status.disruptionsAllowed, status.conditions?.[0]?.reason, status.observedGeneration], [allowed, reason, 1]);
  });
}
