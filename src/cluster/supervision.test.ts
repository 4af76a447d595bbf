/** What `status` says of the supervisor and of what it waits for: the two lines never contradict each other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  describeSupervision,
  describeWaiting,
  readLeftProcess,
  readSupervision,
  type Supervision,
  supervisionFile,
} from './supervision.ts';

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

test('the process that is there counts, whatever the file says; also when the supervisor is gone', {
  skip: !existsSync('/proc/self/stat'),
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-supervision-'));
  const supervisor = spawn('sh', ['-c', 'sh -c "echo \\$\\$; sleep 600; :" run & wait'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid = 0 } = supervisor;
  try {
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const process = Number(String(line));
    const tell = (told: Partial<Supervision>): void =>
      writeFileSync(join(dir, supervisionFile), JSON.stringify({ ...base, pid, startTicks: '', ...told }));
    tell({ ...died, nextTryAt: 1001 });
    assert.deepEqual(readSupervision(dir), { ...base, pid, startTicks: '', ...died, process });
    tell({ process: 2 ** 30 });
    assert.equal(readSupervision(dir)?.process, process);
    assert.equal(readLeftProcess(dir), undefined);
    const gone = once(supervisor, 'exit');
    supervisor.kill('SIGKILL');
    await gone;
    assert.equal(readSupervision(dir), undefined);
    const left = readLeftProcess(dir);
    assert.deepEqual([left?.pid, left?.group], [process, pid]);
  } finally {
    globalThis.process.kill(-pid, 'SIGKILL');
    rmSync(dir, { recursive: true });
  }
});
