import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { isAlive, parseProcessStat } from './processes.ts';

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

const after = 'S 1 40 40 34816 41 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 10\n';
const want = { state: 'S', parent: 1, group: 40, terminalGroup: 41, startTicks: '123456' };

for (const name of ['sh', 'a b', 'a) Z 9 9', ')', ''])
  test(`the fields after the name "${name}"`, () => assert.deepEqual(parseProcessStat(`42 (${name}) ${after}`), want));
