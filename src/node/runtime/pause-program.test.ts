import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hostArchitecture, pauseProgram } from './pause-program.ts';

const runnable = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');

/** rt_sigtimedwait */
const waitCalls = { amd64: '128', arm64: '137' } as const;
const systemCallOf = async (pid: number | undefined): Promise<string | undefined> =>
  (await readFile(`/proc/${pid}/syscall`, 'utf8')).split(' ')[0];

describe('the pause program', () => {
  for (const architecture of ['amd64', 'arm64'] as const)
    it(`is an executable for ${architecture}, with its data where its code looks for it`, () => {
      const program = pauseProgram(architecture);
      assert.equal(program.toString('latin1', 1, 4), 'ELF');
      assert.equal(program.readBigUInt64LE(24), 0x400078n);
      // the signal set: SIGINT, SIGTERM, SIGCHLD
      const set = program.readBigUInt64LE(program.length - 8);
      assert.equal(set, (1n << 1n) | (1n << 14n) | (1n << 16n));
      if (architecture === 'arm64') assert.equal((program.length - 120 - 8) % 4, 0);
    });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    it(`sleeps until ${signal} ends it with 0`, { skip: runnable ? false : 'needs Linux on amd64 or arm64' }, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'pause-'));
      try {
        const file = join(dir, 'pause');
        await writeFile(file, pauseProgram(hostArchitecture()), { mode: 0o755 });
        const child = spawn(file);
        await once(child, 'spawn');
        const exited = once(child, 'exit');
        // spawn may be told before the program has blocked its signals: the kernel says when it waits for them
        while ((await systemCallOf(child.pid)) !== waitCalls[hostArchitecture()]);
        child.kill(signal);
        assert.deepEqual(await exited, [0, null]);
      } finally {
        await rm(dir, { recursive: true });
      }
    });
});
