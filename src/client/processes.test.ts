import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { isAlive } from './processes.ts';

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
