/** That threads which are all blocked, as by files that never open, are told from those that work, and are not filled further. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { ThreadPool, threadPool } from './thread-pool.ts';

it('answers while threads are free, and not while all wait for a pipe', { skip: process.platform === 'win32' && 'no pipes' }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-threads-'));
  const pipe = join(dir, 'pipe');
  try {
    await threadPool.answers(10_000);
    execFileSync('mkfifo', [pipe]);
    const readers = Array.from({ length: Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) }, () => open(pipe, 'r'));
    await assert.rejects(threadPool.answers(100), /have taken no work for 100 ms/);
    execFileSync('sh', ['-c', ': > "$0"', pipe]);
    for (const reader of await Promise.all(readers)) await reader.close();
    await threadPool.answers(10_000);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it('has one piece of work in the pool, however many ask', async () => {
  const clock = new VirtualClock();
  const works: PromiseWithResolvers<void>[] = [];
  const pool = new ThreadPool(clock, () => {
    const work = Promise.withResolvers<void>();
    works.push(work);
    return work.promise;
  });
  const late = Array.from({ length: 100 }, () => assert.rejects(pool.answers(50), /no work for 50 ms/));
  await clock.advance(50);
  await Promise.all(late);
  const asked = pool.answers(50);
  assert.equal(works.length, 1);
  works[0]?.resolve();
  await asked;
});
