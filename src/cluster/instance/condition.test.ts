import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationError } from '../operation-error.ts';
import { type ClusterState, type Facts, stateFrom } from './condition.ts';
import type { InstanceState } from './instance.ts';

const process = { pid: 812, server: 'https://127.0.0.1:6443', startedAt: '2026-01-01T00:00:00Z' } as InstanceState;
const first = { pid: 811, startTicks: '1', restarts: 0 };
const later = { ...first, lastExit: 'signal 9', lastExitAt: 998 };
const damage = new OperationError({ code: 'file-damaged', message: 'state.json is damaged', fix: 'remove it' });

const rows: readonly { readonly name: string; readonly facts: Facts; readonly want: ClusterState }[] = [
  { name: 'nothing but files', facts: {}, want: 'stopped' },
  { name: 'nothing but files, looked at for pods', facts: { leftPods: 0 }, want: 'stopped' },
  { name: 'it serves, from `up`', facts: { serving: process, supervision: first }, want: 'running' },
  { name: 'it serves, from `run`', facts: { serving: process }, want: 'running' },
  { name: 'it serves and its disk is full', facts: { serving: process, isDiskFull: true }, want: 'disk-full' },
  { name: 'it serves, and was asked to stop', facts: { serving: { ...process, stopping: true }, isDiskFull: true }, want: 'stopping' },
  { name: 'SIGSTOP', facts: { serving: process, isPaused: true, isDiskFull: true }, want: 'paused' },
  { name: 'the first start is under way', facts: { supervision: first }, want: 'starting' },
  { name: 'the first start goes on without its supervisor', facts: { left: { pid: 8, group: 7 } }, want: 'starting' },
  { name: '`run` starts it', facts: { inForeground: { pid: 9 } }, want: 'starting' },
  { name: 'its process died, and the supervisor waits', facts: { supervision: later }, want: 'restarting' },
  {
    name: 'its process died before the first restart was counted',
    facts: { supervision: { ...later, nextTryAt: 1001 } },
    want: 'restarting',
  },
  { name: 'its process died, and no supervisor is there', facts: { died: process, leftPods: 0 }, want: 'crashed' },
  { name: 'its process died, its pods run', facts: { died: process, leftPods: 3 }, want: 'crashed' },
  { name: 'a start after a crash failed: nothing says that it ran, but its pods do', facts: { leftPods: 1 }, want: 'crashed' },
  { name: 'the machine was started again', facts: { died: process, diedWithMachine: true, leftPods: 0 }, want: 'stopped' },
  { name: 'a file says nonsense', facts: { damage }, want: 'damaged' },
  { name: 'a file says nonsense, and a supervisor is there', facts: { damage, supervision: later }, want: 'damaged' },
];
for (const { name, facts, want } of rows) test(`the state of a cluster: ${name}`, () => assert.equal(stateFrom(facts), want));
