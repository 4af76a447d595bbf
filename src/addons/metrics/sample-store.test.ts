import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Point, Reading } from './node-summary.ts';
import { SampleStore } from './sample-store.ts';

const seconds = (n: number): number => n * 1000;
/** At that second, with so much processor time used since it started. */
const point = (at: number, cpuSeconds: number, { start = -100, memoryBytes = 2 ** 20 } = {}): Point => ({
  startMs: seconds(start),
  atMs: seconds(at),
  cpuNanoSeconds: cpuSeconds * 1e9,
  memoryBytes,
});

/** What is known of a pod after these readings of its containers, every 15 seconds. */
function known(...readings: readonly Readonly<Record<string, Point>>[]): string {
  const store = new SampleStore(seconds(15));
  for (const containers of readings) {
    const pods = new Map(Object.keys(containers).length > 0 ? [['shop/web', new Map(Object.entries(containers))]] : []);
    store.put(new Map<string, Reading>([['n1', { node: undefined, pods }]]));
  }
  const used = store.pod('shop/web');
  const of = used?.containers.map(({ name, usage }) => `${name} ${usage['cpu']} ${usage['memory']}`).join(', ');
  return used ? `${of} at ${used.atMs / 1000} for ${used.windowMs / 1000}` : 'nothing';
}

describe('what is known of a pod', () => {
  const table: { name: string; readings: readonly Readonly<Record<string, Point>>[]; want: string }[] = [
    { name: 'read twice', readings: [{ a: point(0, 10) }, { a: point(15, 13) }], want: 'a 200m 1Mi at 15 for 15' },
    { name: 'read once', readings: [{ a: point(0, 10) }], want: 'nothing' },
    {
      name: 'read three times: the last two count',
      readings: [{ a: point(0, 0) }, { a: point(15, 15) }, { a: point(30, 16.5) }],
      want: 'a 100m 1Mi at 30 for 15',
    },
    { name: 'not there any more', readings: [{ a: point(0, 10) }, { a: point(15, 13) }, {}], want: 'nothing' },
    {
      name: 'read at the same time again: compared with what was before',
      readings: [{ a: point(0, 10) }, { a: point(15, 13) }, { a: point(15, 13) }],
      want: 'a 200m 1Mi at 15 for 15',
    },
    {
      name: 'an older reading than what was before',
      readings: [{ a: point(0, 10) }, { a: point(15, 13) }, { a: point(-5, 9) }],
      want: 'nothing',
    },
    { name: 'one container is new', readings: [{ a: point(0, 10) }, { a: point(15, 13), b: point(15, 1, { start: 8 }) }], want: 'nothing' },
    {
      name: 'one container is ten seconds old',
      readings: [{ a: point(0, 10) }, { a: point(15, 13), b: point(15, 1, { start: 5 }) }],
      want: 'a 200m 1Mi, b 100m 1Mi at 15 for 15',
    },
    { name: 'ten seconds old, read once', readings: [{ a: point(0, 5, { start: -10 }) }], want: 'a 500m 1Mi at 0 for 10' },
    { name: 'nine seconds old', readings: [{ a: point(0, 5, { start: -9 }) }], want: 'nothing' },
    { name: 'as old as the time between two readings', readings: [{ a: point(0, 5, { start: -15 }) }], want: 'nothing' },
    { name: 'restarted between the readings', readings: [{ a: point(0, 10) }, { a: point(15, 1, { start: 7 }) }], want: 'nothing' },
    { name: 'its counter has gone back', readings: [{ a: point(0, 10) }, { a: point(15, 9) }], want: 'nothing' },
    {
      name: 'measured at different times: the first one counts',
      readings: [
        { a: point(0, 10), b: point(1, 10) },
        { a: point(15, 13), b: point(14, 10) },
      ],
      want: 'a 200m 1Mi, b 0 1Mi at 14 for 13',
    },
    {
      name: 'memory of no round number',
      readings: [{ a: point(0, 0.1) }, { a: point(15, 0.1, { memoryBytes: 1_500_000 }) }],
      want: 'a 0 1500000 at 15 for 15',
    },
    { name: 'less than a thousandth of a core', readings: [{ a: point(0, 1) }, { a: point(15, 1.00123) }], want: 'a 82u 1Mi at 15 for 15' },
  ];
  for (const { name, readings, want } of table) it(name, () => assert.equal(known(...readings), want));
});

it('of a node, the same', () => {
  const store = new SampleStore(seconds(15));
  const read = (node: Point): void => store.put(new Map([['n1', { node, pods: new Map() }]]));
  read(point(0, 10));
  assert.equal(store.node('n1'), undefined);
  read(point(15, 40));
  assert.deepEqual(store.node('n1'), { atMs: 15_000, windowMs: 15_000, usage: { cpu: '2', memory: '1Mi' } });
  store.put(new Map());
  assert.equal(store.node('n1'), undefined);
});
