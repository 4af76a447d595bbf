import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPod } from '../../../test/kit/scheduler-objects.ts';
import type { Pod } from '../../api/generated/kinds.ts';
import { type PodStatusChange, planScheduledPatch } from './pod-status.ts';

const nowMs = Date.UTC(2026, 0, 2);
const now = '2026-01-02T00:00:00Z';
const before = '2026-01-01T00:00:00Z';
const condition = (message: string, lastTransitionTime = now, more: object = {}) => ({
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message,
  lastTransitionTime,
  observedGeneration: 1,
  ...more,
});

interface Row {
  readonly name: string;
  readonly status: object;
  readonly change: Partial<PodStatusChange>;
  readonly want: object | undefined;
}

const rows: readonly Row[] = [
  { name: 'the first time', status: {}, change: {}, want: { conditions: [condition('why')] } },
  { name: 'the same again', status: { conditions: [condition('why', before)] }, change: {}, want: undefined },
  {
    name: 'another message, the same transition',
    status: { conditions: [condition('old', before)] },
    change: {},
    want: { conditions: [condition('why', before)] },
  },
  {
    name: 'another reason',
    status: { conditions: [condition('why', before, { reason: 'SchedulingGated' })] },
    change: {},
    want: { conditions: [condition('why', before)] },
  },
  {
    name: 'it was scheduled',
    status: { conditions: [condition('', before, { status: 'True' })] },
    change: {},
    want: { conditions: [condition('why')] },
  },
  {
    name: 'a node to wait for',
    status: { conditions: [condition('why', before)] },
    change: { nominatedNodeName: 'a' },
    want: { nominatedNodeName: 'a' },
  },
  {
    name: 'the same node',
    status: { conditions: [condition('why', before)], nominatedNodeName: 'a' },
    change: { nominatedNodeName: 'a' },
    want: undefined,
  },
  {
    name: 'no node any more',
    status: { nominatedNodeName: 'a' },
    change: { nominatedNodeName: null },
    want: { conditions: [condition('why')], nominatedNodeName: null },
  },
  { name: 'still none', status: { conditions: [condition('why', before)] }, change: { nominatedNodeName: null }, want: undefined },
  {
    name: 'whatever it waits for',
    status: { conditions: [condition('why', before)], nominatedNodeName: 'a' },
    change: {},
    want: undefined,
  },
];

for (const { name, status, change, want } of rows) {
  test(`pod status: ${name}`, () => {
    const pod = testPod('p', { status: status as NonNullable<Pod['status']> });
    assert.deepEqual(planScheduledPatch(pod, { reason: 'Unschedulable', message: 'why', ...change }, nowMs), want);
  });
}
