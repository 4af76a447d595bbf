import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HPAScalingRules } from '../../../api/generated/autoscaling-v2.ts';
import { decide, noHistory, remember, type ScalingHistory, type Wish } from './scaling-rules.ts';

const nowMs = 10_000_000;
const ago = (seconds: number): number => nowMs - seconds * 1000;
const asked = (...of: readonly [replicas: number, secondsAgo: number][]): ScalingHistory => ({
  ...noHistory,
  recommendations: of.map(([replicas, seconds]) => ({ replicas, atMs: ago(seconds) })),
});
const changed = (...of: readonly [by: number, secondsAgo: number][]): ScalingHistory => ({
  ...noHistory,
  changes: of.map(([by, seconds]) => ({ by, atMs: ago(seconds) })),
});
const policies = (type: string, value: number, periodSeconds = 60) => [{ type, value, periodSeconds }];
const up = (rules: HPAScalingRules) => ({ behavior: { scaleUp: { selectPolicy: 'Max', stabilizationWindowSeconds: 0, ...rules } } });
const down = (rules: HPAScalingRules) => ({ behavior: { scaleDown: { selectPolicy: 'Max', stabilizationWindowSeconds: 0, ...rules } } });

interface Row {
  readonly name: string;
  readonly given: Partial<Wish> & Pick<Wish, 'current' | 'desired'>;
  readonly history?: ScalingHistory;
  readonly want: readonly [replicas: number, able: string, limited: string];
}

const rows: readonly Row[] = [
  { name: 'within its bounds', given: { current: 3, desired: 5 }, want: [5, 'ReadyForNewScale', 'False DesiredWithinRange'] },
  { name: 'at most doubled', given: { current: 5, desired: 30 }, want: [10, 'ReadyForNewScale', 'True ScaleUpLimit'] },
  { name: 'or up to four', given: { current: 1, desired: 9 }, want: [4, 'ReadyForNewScale', 'True ScaleUpLimit'] },
  {
    name: 'not more than the maximum',
    given: { current: 15, desired: 25, max: 20 },
    want: [20, 'ReadyForNewScale', 'True TooManyReplicas'],
  },
  { name: 'not less than the minimum', given: { current: 5, desired: 1, min: 2 }, want: [2, 'ReadyForNewScale', 'True TooFewReplicas'] },
  {
    name: 'down only to the most that was asked for in five minutes',
    given: { current: 8, desired: 2 },
    history: asked([7, 200], [9, 400]),
    want: [7, 'ScaleDownStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'up at once, by rules too',
    given: { current: 3, desired: 9, ...up({ policies: policies('Percent', 300) }) },
    history: asked([3, 30]),
    want: [9, 'ReadyForNewScale', 'False DesiredWithinRange'],
  },
  {
    name: 'up only to the least that was asked for in the window',
    given: { current: 3, desired: 9, ...up({ stabilizationWindowSeconds: 60, policies: policies('Pods', 100) }) },
    history: asked([5, 30], [4, 90]),
    want: [5, 'ScaleUpStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'by so many pods in a period, counting what was added in it',
    given: { current: 6, desired: 20, ...up({ policies: policies('Pods', 4) }) },
    history: changed([3, 30], [5, 90]),
    want: [7, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'by a share, rounded up',
    given: { current: 3, desired: 20, ...up({ policies: policies('Percent', 10) }) },
    want: [4, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'by the policy that changes least',
    given: {
      current: 10,
      desired: 30,
      ...up({ selectPolicy: 'Min', policies: [...policies('Pods', 2), ...policies('Percent', 100)] }),
    },
    want: [12, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'not up at all',
    given: { current: 3, desired: 9, ...up({ selectPolicy: 'Disabled', policies: policies('Pods', 4) }) },
    want: [3, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'down by a share, rounded down',
    given: { current: 7, desired: 1, ...down({ policies: policies('Percent', 50) }) },
    want: [3, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'down, counting what was taken in the period',
    given: { current: 7, desired: 1, ...down({ policies: policies('Pods', 3) }) },
    history: changed([-2, 10]),
    want: [6, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'down by the policy that changes least',
    given: { current: 10, desired: 1, ...down({ selectPolicy: 'Min', policies: [...policies('Pods', 2), ...policies('Percent', 90)] }) },
    want: [8, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'down by rules without a window of their own: five minutes',
    given: { current: 8, desired: 2, behavior: { scaleDown: { selectPolicy: 'Max', policies: policies('Percent', 100) } } },
    history: asked([6, 299]),
    want: [6, 'ScaleDownStabilized', 'False DesiredWithinRange'],
  },
];

describe('what is made of what an autoscaler’s metrics ask for', () => {
  for (const { name, given, history = noHistory, want } of rows) {
    it(name, () => {
      const { replicas, ableToScale, scalingLimited } = decide({ min: 1, max: 50, nowMs, ...given }, history);
      const limited = `${scalingLimited.isLimited ? 'True' : 'False'} ${scalingLimited.reason}`;
      assert.deepEqual([replicas, ableToScale.reason, limited], want);
    });
  }

  it('what is older than an hour is forgotten', () => {
    const { recommendations } = remember(asked([9, 3601], [8, 3599]), { replicas: 3, nowMs });
    assert.deepEqual(
      recommendations.map(({ replicas }) => replicas),
      [8, 3],
    );
  });
});
