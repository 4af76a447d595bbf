/** What `status` says of the supervisor and of what it waits for: the two lines never contradict each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeSupervision, describeWaiting, type Supervision } from './supervision.ts';

const nowMs = 1_000_000;
const base: Supervision = { pid: 7, startTicks: '1', restarts: 0 };
const died = { lastExit: 'signal 9', lastExitAt: 998 };

const rows: readonly { readonly name: string; readonly given: Supervision; readonly process: string; readonly supervisor: string }[] = [
  {
    name: 'the first start is under way',
    given: { ...base, process: 8 },
    process: '8, starting',
    supervisor: 'process 7; it has not had to start anything again',
  },
  {
    name: 'the process died for the first time',
    given: { ...base, ...died, nextTryAt: 1001 },
    process: 'none; it ended by signal 9 (SIGKILL), 2s ago, and is started again in 1 s',
    supervisor: 'process 7; about to start it again for the first time',
  },
  {
    name: 'it was started again',
    given: { ...base, ...died, restarts: 1, process: 9 },
    process: '9, starting',
    supervisor: 'process 7, started again once; last exit: signal 9 (SIGKILL), 2s ago',
  },
  {
    name: 'it died again and again',
    given: { ...base, lastExit: 'exit 70', lastExitAt: 999, restarts: 3, nextTryAt: 1007 },
    process: 'none; it ended by exit 70, 1s ago, and is started again in 7 s',
    supervisor: 'process 7, started again 3 times; last exit: exit 70, 1s ago',
  },
];
for (const { name, given, process, supervisor } of rows) {
  test(name, () => assert.deepEqual([describeWaiting(given, nowMs), describeSupervision(given, nowMs)], [process, supervisor]));
}
