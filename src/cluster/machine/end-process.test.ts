/** That a process whose threads are all blocked, and which listens to the signal, ends by it all the same. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  it(`ends by ${signal} at its deadline, whatever hangs`, { skip: process.platform === 'win32' && 'no signals' }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-end-'));
    const pipe = join(dir, 'pipe');
    const program = `
      import { open } from 'node:fs/promises';
      import { endAfter } from ${JSON.stringify(join(import.meta.dirname, 'end-process.ts'))};
      for (let i = 0; i < 8; i++) void open(${JSON.stringify(pipe)}, 'r');
      process.on('SIGTERM', () => undefined);
      endAfter(50, '${signal}', () => process.stdout.write('late'));`;
    try {
      execFileSync('mkfifo', [pipe]);
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += String(chunk);
      });
      assert.deepEqual(await once(child, 'close'), [null, signal]);
      assert.equal(said, 'late');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}
