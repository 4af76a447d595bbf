/** What is told of the supervisor is what is there, whatever its file says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLeftProcess, readSupervision, type Supervision, supervisionFile } from './supervision.ts';

const base: Supervision = { pid: 7, startTicks: '1', restarts: 0 };
const died = { lastExit: 'signal 9', lastExitAt: 998 };

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
    assert.deepEqual(readSupervision(dir), { ...base, pid, startTicks: '', ...died, process, nextTryAt: undefined });
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
