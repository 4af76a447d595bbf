import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, PodStatus } from '../../../api/generated/core-v1.ts';
import { nothingObserved, type ObservedContainer } from '../pod/observed-pod.ts';
import { settle } from './settling.ts';

const startedAtMs = 1_000_000;
const told = (id: string): PodStatus => ({
  containerStatuses: [
    { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, containerID: `c://${id}`, state: { running: {} } },
  ],
});

const rows: readonly {
  readonly name: string;
  readonly container?: Partial<Container>;
  readonly observed?: Partial<ObservedContainer>;
  readonly told?: PodStatus;
  readonly afterMs: number;
  readonly want: readonly string[];
}[] = [
  { name: 'just started', afterMs: 0, want: ['a'] },
  { name: 'for a moment', afterMs: 249, want: ['a'] },
  { name: 'settled', afterMs: 250, want: [] },
  { name: 'ended meanwhile', observed: { state: 'exited' }, afterMs: 10, want: [] },
  { name: 'a clock that went back', afterMs: -10, want: [] },
  { name: 'told already', told: told('1'), afterMs: 10, want: [] },
  { name: 'another instance was told', told: told('0'), afterMs: 10, want: ['a'] },
  { name: 'a readiness probe will tell', container: { readinessProbe: {} }, afterMs: 10, want: [] },
  { name: 'a startup probe will tell', container: { startupProbe: {} }, afterMs: 10, want: [] },
  { name: 'a liveness probe tells nothing of readiness', container: { livenessProbe: {} }, afterMs: 10, want: ['a'] },
  { name: 'an init container', observed: { name: 'init' }, afterMs: 10, want: [] },
];

for (const { name, container, observed, told: status = {}, afterMs, want } of rows) {
  test(name, () => {
    const pod = { spec: { containers: [{ name: 'a', ...container }] } } as unknown as Pod;
    const seen = { id: '1', name: 'a', state: 'running', startedAtMs, ...observed } as ObservedContainer;
    const { held, untilMs } = settle(pod, { ...nothingObserved, containers: [seen] }, { told: status, nowMs: startedAtMs + afterMs });
    assert.deepEqual([...held], want);
    assert.equal(untilMs, want.length ? startedAtMs + 250 : undefined);
  });
}
