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
    mark: ['-f', join(dir, 'mark')],
    logFile: join(dir, 'log'),
    clock: realClock,
    log: silentLog,
  });
  const logged = (): Promise<string> => readFile(join(dir, 'log'), 'utf8');

  it('starts again what dies, and stops what runs', async () => {
    const kept = await KeptProcess.start(options('echo $$; exec sleep 1000'));
    const first = kept.pid ?? assert.fail('it has no number');
    await changed(dir, async () => (await logged()) === `${first}\n`);
    process.kill(first, 'SIGKILL');
    await kept.died;
    await changed(dir, async () => /^\d+\n\d+\n$/.test(await logged()));
    const { pid } = kept;
    assert.equal(await logged(), `${first}\n${pid}\n`);
    await kept.stop();
    assert.equal(existsSync(`/proc/${pid}`), false);
  });

  it('keeps what it writes', async () => {
    const kept = await KeptProcess.start(options('echo out; echo err >&2; exec sleep 1000'));
    await changed(dir, async () => (await logged()) === 'out\nerr\n');
    await kept.stop();
  });

  it('ends what an earlier one left, and nothing else that only names its file', async () => {
    const file = join(dir, 'mark');
    await writeFile(file, '');
    const children = {
      leftover: spawn('tail', ['-f', file]),
      reader: spawn('tail', ['-n', '1', '-f', file, '/dev/null']),
    };
    try {
      while (!(await readFile(`/proc/${children.leftover.pid}/cmdline`, 'utf8')).startsWith('tail')) await new Promise(setImmediate);
      const left = once(children.leftover, 'exit');
      await using _kept = await KeptProcess.start(options('exec sleep 1000'));
      await left; // it is gone before the event loop hears of it
      const ended = Object.entries(children).flatMap(([name, { signalCode }]) => (signalCode === null ? [] : [name, signalCode]));
      assert.deepEqual(ended, ['leftover', 'SIGTERM']);
    } finally {
      for (const child of Object.values(children)) child.kill('SIGKILL');
    }
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
