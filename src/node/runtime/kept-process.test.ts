import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { realClock } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { KeptProcess, type KeptProcessOptions } from './kept-process.ts';

describe('KeptProcess', { skip: process.platform === 'linux' ? false : 'needs /proc' }, () => {
  let dir: string;
  let awake: NodeJS.Timeout;
  before(() => {
    awake = setInterval(() => {}, 60_000);
  });
  after(() => clearInterval(awake));
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kept-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const options = (script: string): KeptProcessOptions => ({
    name: 'kept',
    command: ['sh', '-c', script],
    mark: join(dir, 'mark'),
    logFile: join(dir, 'log'),
    pidFile: join(dir, 'pid'),
    clock: realClock,
    log: silentLog,
  });
  const pidOf = async (): Promise<number> => Number(await readFile(join(dir, 'pid'), 'utf8').catch(() => '0'));

  it('starts again what dies, and stops what runs', async () => {
    const kept = await KeptProcess.start(options('exec sleep 1000'));
    const first = await pidOf();
    assert.equal(kept.pid, first);
    process.kill(first, 'SIGKILL');
    await kept.died;
    await changed(dir, async () => ![first, 0].includes(await pidOf()));
    assert.notEqual(kept.pid, first);
    const { pid } = kept;
    await kept.stop();
    assert.equal(existsSync(`/proc/${pid}`), false);
    assert.equal(await pidOf(), 0);
  });

  it('keeps what it writes', async () => {
    const kept = await KeptProcess.start(options('echo out; echo err >&2; exec sleep 1000'));
    await changed(dir, async () => (await readFile(join(dir, 'log'), 'utf8')) === 'out\nerr\n');
    await kept.stop();
  });

  it('ends what an earlier one left, and nothing else that has its number', async () => {
    await writeFile(join(dir, 'mark'), '');
    const leftover = spawn('tail', ['-f', join(dir, 'mark')]);
    const stranger = spawn('sleep', ['1000']);
    for (const { child, want } of [
      { child: leftover, want: 'SIGTERM' },
      { child: stranger, want: null },
    ]) {
      if (child.pid === undefined) await once(child, 'spawn');
      await writeFile(join(dir, 'pid'), `${child.pid}`);
      await using _kept = await KeptProcess.start(options('exec sleep 1000'));
      assert.equal(child.signalCode, want);
    }
    stranger.kill();
  });
});

/** Resolves when what is in the directory is so; looks whenever something there changes, and fails after a while. */
async function changed(dir: string, isSo: () => Promise<boolean>): Promise<void> {
  const watcher = watch(dir);
  try {
    const signal = AbortSignal.timeout(10_000);
    for (let change = once(watcher, 'change', { signal }); !(await isSo()); change = once(watcher, 'change', { signal })) await change;
  } finally {
    watcher.close();
  }
}
