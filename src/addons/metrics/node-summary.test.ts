import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSummary } from './node-summary.ts';

const startTime = '2026-01-01T00:00:00Z';
const used = (usageCoreNanoSeconds?: number, workingSetBytes?: number) => ({
  startTime,
  cpu: { time: '2026-01-01T00:01:00.250Z', ...(usageCoreNanoSeconds !== undefined && { usageCoreNanoSeconds }) },
  memory: { ...(workingSetBytes !== undefined && { workingSetBytes }) },
});
const startMs = Date.parse(startTime);
const point = { startMs, atMs: startMs + 60_250, cpuNanoSeconds: 5e9, memoryBytes: 1024 };

describe('readSummary', () => {
  const pod = (...containers: readonly ReturnType<typeof used>[]) => ({
    podRef: { namespace: 'shop', name: 'web' },
    containers: containers.map((each, i) => ({ name: `c${i}`, ...each })),
  });
  const table: { name: string; given: ReturnType<typeof pod>; want: readonly string[] }[] = [
    { name: 'all containers', given: pod(used(5e9, 1024), used(1, 1)), want: ['c0', 'c1'] },
    { name: 'one has used no processor yet', given: pod(used(5e9, 1024), used(0, 1)), want: [] },
    { name: 'one has no memory', given: pod(used(5e9, 1024), used(1, 0)), want: [] },
    { name: 'one has ended', given: pod(used(5e9, 1024), { startTime } as ReturnType<typeof used>), want: ['c0'] },
    { name: 'all have ended', given: pod({ startTime } as ReturnType<typeof used>), want: [] },
    { name: 'one of which only the memory is known', given: pod(used(undefined, 1)), want: [] },
    { name: 'no containers', given: pod(), want: [] },
  ];
  for (const { name, given, want } of table)
    it(`of a pod: ${name}`, () => {
      const { pods } = readSummary({ node: used(5e9, 1024), pods: [given] });
      assert.deepEqual([...(pods.get('shop/web')?.keys() ?? [])], want);
    });

  it('of a node, with the millisecond', () => {
    assert.deepEqual(readSummary({ node: used(5e9, 1024), pods: [] }).node, point);
    assert.equal(readSummary({ node: used(0, 1024), pods: [] }).node, undefined);
  });
});
