import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { countByAverage, countByShare, countByTotal, countByUtilization, type Measurements } from './replica-count.ts';

const nowMs = 1_800_000_000_000;
const tolerances = { up: 0.1, down: 0.1 };

interface PodLike {
  readonly phase?: string;
  readonly ready?: boolean;
  readonly startedSecondsAgo?: number;
  readonly turnedSecondsAgo?: number;
  readonly deleted?: boolean;
  readonly request?: string | undefined;
}

function pod(name: string, { phase = 'Running', ready = true, startedSecondsAgo = 3600, turnedSecondsAgo = 3500, ...more }: PodLike): Pod {
  const at = (secondsAgo: number): string => formatTime(nowMs - secondsAgo * 1000);
  const { deleted, request = '1' } = more;
  return {
    metadata: { name, namespace: 'default', ...(deleted && { deletionTimestamp: at(1) }) },
    spec: {
      containers: [{ name: 'main', resources: { requests: 'request' in more && more.request === undefined ? {} : { cpu: request } } }],
    },
    status: {
      phase,
      startTime: at(startedSecondsAgo),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: at(turnedSecondsAgo) }],
    },
  } as unknown as Pod;
}
const podsOf = (of: readonly PodLike[]): Pod[] => of.map((each, i) => pod(`p${i}`, each));
const measuredOf = (milli: readonly (number | undefined)[]): Measurements =>
  new Map(milli.flatMap((each, i) => (each === undefined ? [] : [[`p${i}`, { milli: each, atMs: nowMs, windowMs: 30_000 }]])));
const times = (count: number, each: PodLike = {}): PodLike[] => Array.from({ length: count }, () => each);

interface Row {
  readonly name: string;
  readonly pods: readonly PodLike[];
  /** thousandths of a CPU; undefined: not measured */
  readonly used: readonly (number | undefined)[];
  readonly target: number;
  readonly current?: number;
  /** replicas and percent, or the error */
  readonly want: readonly [number, number] | RegExp;
}

const byUtilization: readonly Row[] = [
  { name: 'up', pods: times(3), used: [300, 500, 700], target: 30, want: [5, 50] },
  { name: 'down', pods: times(5), used: [100, 300, 500, 250, 250], target: 50, want: [3, 28] },
  { name: 'within the tolerance nothing', pods: times(3), used: [1000, 960, 1010], target: 100, want: [3, 99] },
  { name: 'percent are cut off, then weighed', pods: times(2), used: [554, 555], target: 50, want: [2, 55] },
  {
    name: 'one that is pending counts as idle going up',
    pods: [{}, {}, { phase: 'Pending' }],
    used: [1000, 1000, undefined],
    target: 50,
    want: [4, 100],
  },
  {
    name: 'and so may turn the change: nothing',
    pods: [{}, { phase: 'Pending' }],
    used: [600, undefined],
    target: 50,
    want: [2, 60],
    current: 2,
  },
  {
    name: 'one that is pending counts for nothing going down',
    pods: [{}, {}, { phase: 'Pending' }],
    used: [100, 100, undefined],
    target: 50,
    want: [1, 10],
  },
  {
    name: 'one that was not measured counts as busy going down',
    pods: times(4),
    used: [100, 100, 100, undefined],
    target: 50,
    want: [3, 10],
    current: 4,
  },
  { name: 'and as idle going up', pods: times(3), used: [900, 900, undefined], target: 50, want: [4, 90] },
  {
    name: 'at just the target one that was not measured counts for nothing',
    pods: times(2),
    used: [500, undefined],
    target: 50,
    want: [2, 50],
  },
  {
    name: 'one that is being deleted, or failed, is not there',
    pods: [{}, { deleted: true }, { phase: 'Failed' }],
    used: [800, 10, 10],
    target: 40,
    want: [2, 80],
  },
  {
    name: 'one that became ready after its measurement began is starting',
    pods: [{}, { startedSecondsAgo: 60, turnedSecondsAgo: 10 }],
    used: [300, 3000],
    target: 30,
    current: 2,
    want: [2, 30],
  },
  {
    name: 'one that was ready once, and is not now, counts',
    pods: [{}, { ready: false, startedSecondsAgo: 600, turnedSecondsAgo: 20 }],
    used: [900, 900],
    target: 30,
    want: [6, 90],
  },
  { name: 'nothing measured', pods: times(2), used: [undefined, undefined], target: 50, want: /did not receive metrics for targeted pods/ },
  { name: 'no pods', pods: [], used: [100], target: 50, want: /no pods returned by selector/ },
  {
    name: 'one that asks for nothing',
    pods: [{}, { request: undefined }],
    used: [1, 1],
    target: 50,
    want: /missing request for cpu in container main of Pod p1/,
  },
];

describe('replicas by utilization', () => {
  for (const { name, pods, used, target, current = pods.length, want } of byUtilization) {
    it(name, () => {
      const count = () =>
        countByUtilization({ pods: podsOf(pods), measured: measuredOf(used), current, tolerances, nowMs, resource: 'cpu', target });
      if (want instanceof RegExp) assert.throws(count, want);
      else assert.deepEqual([count().replicas, count().utilization], want);
    });
  }

  it('of one container', () => {
    const of = (container: string) =>
      countByUtilization({
        pods: podsOf(times(1)),
        measured: measuredOf([900]),
        current: 1,
        tolerances,
        nowMs,
        resource: 'cpu',
        container,
        target: 30,
      });
    assert.equal(of('main').replicas, 3);
    assert.throws(() => of('side'), /container side not found in Pod p0/);
  });

  it('of what the whole pod asks for, where it says so', () => {
    const [first] = podsOf(times(1));
    assert.ok(first);
    const whole = { ...first, spec: { ...first.spec, resources: { requests: { cpu: '3' } } } } as Pod;
    const count = countByUtilization({
      pods: [whole],
      measured: measuredOf([900]),
      current: 1,
      tolerances,
      nowMs,
      resource: 'cpu',
      target: 30,
    });
    assert.deepEqual([count.replicas, count.utilization], [1, 30]);
  });
});

describe('replicas by other measures', () => {
  it('an average, which takes one that was not measured for the target going down', () => {
    const count = (used: (number | undefined)[]) =>
      countByAverage({
        pods: podsOf(times(used.length)),
        measured: measuredOf(used),
        current: used.length,
        tolerances,
        nowMs,
        target: 100,
      });
    assert.deepEqual(count([200, 200]), { replicas: 4, usage: 200 });
    assert.deepEqual(count([10, 10, undefined]), { replicas: 2, usage: 10 });
  });

  const rows = [
    { name: 'a total, by how many are ready', current: 4, usage: 2000, ready: 3, want: 6 },
    { name: 'a total within the tolerance', current: 4, usage: 1050, ready: 3, want: 4 },
    { name: 'a total from nothing', current: 0, usage: 2500, ready: 0, want: 3 },
  ];
  for (const { name, current, usage, ready, want } of rows) {
    it(name, () => {
      const pods = podsOf([...times(ready), { ready: false }]);
      assert.equal(countByTotal({ pods, current, tolerances, usage, target: 1000 }).replicas, want);
    });
  }

  it('a share for each', () => {
    assert.deepEqual(countByShare({ there: 2, tolerances, usage: 5000, target: 1000 }), { replicas: 5, usage: 2500 });
    assert.deepEqual(countByShare({ there: 5, tolerances, usage: 5200, target: 1000 }), { replicas: 5, usage: 1040 });
    assert.equal(countByShare({ there: 0, tolerances, usage: 5200, target: 1000 }).replicas, 6);
  });
});
