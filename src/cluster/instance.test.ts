import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Instance, isAlive } from './instance.ts';

test('the place of all clusters goes with the last one, if it came with the first', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-instance-'));
  const before = process.env['TIMONIER_ROOT'];
  try {
    for (const { name, isThere } of [
      { name: 'made', isThere: false },
      { name: 'found', isThere: true },
    ]) {
      const root = join(dir, name);
      process.env['TIMONIER_ROOT'] = root;
      if (isThere) mkdirSync(root);
      const [first, second] = [new Instance('first'), new Instance('second', join(dir, 'elsewhere'))];
      first.create();
      second.create();
      await first.remove();
      assert.equal(existsSync(root), true, name);
      await second.remove();
      assert.equal(existsSync(root), isThere, name);
    }
  } finally {
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a process that ended is not alive, though its parent has not asked', { skip: !existsSync('/proc') && 'needs /proc' }, async () => {
  // The shell becomes sleep, which never waits for the child that it has; only then the child ends, with its input.
  const parent = spawn('sh', ['-c', 'exec 3<&0; cat <&3 & echo $!; exec sleep 1000']);
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await new Promise(setImmediate);
    parent.stdin.end();
    while (!/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await new Promise(setImmediate);
    assert.equal(isAlive({ pid }), false);
    assert.equal(isAlive({ pid: parent.pid ?? 0 }), true);
  } finally {
    parent.kill();
  }
});
