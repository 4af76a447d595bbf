import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseRestartOfDead } from './start-record.ts';

const restarting = [{ setting: 'log level', from: 'info', to: 'debug', needsRestart: true }];
const harmless = [{ setting: 'simulated nodes', from: '1', to: '2', needsRestart: false }];
const supervision = { pid: 1, startTicks: '', restarts: 0 };

const rows = [
  { name: 'crashed, and nothing runs any more', changes: restarting, facts: {} },
  { name: 'crashed, and pods run', changes: harmless, facts: { leftPods: 3 } },
  {
    name: 'crashed, and pods run, for a change that they can’t take over',
    changes: restarting,
    facts: { leftPods: 3 },
    want: 'cluster "c" has crashed, and 3 pods of it, which still run, have to end for this: log level: info → debug',
  },
  {
    name: 'crashed, and one pod runs',
    changes: restarting,
    facts: { leftPods: 1 },
    want: 'cluster "c" has crashed, and a pod of it, which still runs, has to end for this: log level: info → debug',
  },
  {
    name: 'being started again',
    changes: restarting,
    facts: { supervision },
    want: 'cluster "c" has to be stopped for this: log level: info → debug',
  },
];

for (const { name, changes, facts, want } of rows) {
  test(`a start with other settings of a cluster that is ${name}`, () => {
    const start = (): void => refuseRestartOfDead('c', changes, facts);
    if (want === undefined) start();
    else assert.throws(start, { code: 'needs-restart', message: want, fix: 'timonier down c, then the same command again' });
  });
}
