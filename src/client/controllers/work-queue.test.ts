import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../virtual-clock.ts';
import { WorkQueue } from './work-queue.ts';

const make = () => {
  const clock = new VirtualClock();
  return { clock, queue: new WorkQueue(clock) };
};

test('a key waits once, and is not worked on twice at a time', async () => {
  const { queue } = make();
  queue.add('a');
  queue.add('a');
  queue.add('b');
  assert.equal(queue.depth, 2);
  assert.equal(await queue.take(), 'a');
  queue.add('a');
  queue.add('a');
  assert.equal(await queue.take(), 'b');
  assert.equal(queue.depth, 0);
  queue.done('a');
  assert.equal(queue.depth, 1);
  assert.equal(await queue.take(), 'a');
  queue.done('a');
  assert.equal(queue.depth, 0);
});

test('who waits gets the next key; closing sends everyone home', async () => {
  const { queue, clock } = make();
  const first = queue.take();
  const second = queue.take();
  queue.add('a');
  assert.equal(await first, 'a');
  queue.addAfter('b', 1000);
  queue.close();
  assert.equal(await second, undefined);
  assert.equal(await queue.take(), undefined);
  assert.equal(clock.pending, 0);
});

test('of several delays the earliest counts', async () => {
  const { queue, clock } = make();
  queue.addAfter('a', 1000);
  queue.addAfter('a', 500);
  queue.addAfter('a', 2000);
  await clock.advance(499);
  assert.equal(queue.depth, 0);
  await clock.advance(1);
  assert.equal(queue.depth, 1);
  assert.equal(clock.pending, 0);
});

test('retries of a key double from 5 ms to 1000 s', async () => {
  const { queue, clock } = make();
  const delays: number[] = [];
  for (let i = 0; i < 20; i++) {
    queue.retry('a');
    const startMs = clock.now();
    while (queue.depth === 0) await clock.advance(i < 10 ? 5 : 1000);
    delays.push(clock.now() - startMs);
    queue.done((await queue.take()) ?? '');
  }
  assert.deepEqual(delays.slice(0, 5), [5, 10, 20, 40, 80]);
  assert.equal(delays.at(-1), 1_000_000);
  assert.equal(queue.failures('a'), 20);
  queue.forget('a');
  assert.equal(queue.failures('a'), 0);
});

test('all retries together keep to 10 a second after a burst of 100', async () => {
  const { queue, clock } = make();
  for (let i = 0; i < 150; i++) queue.retry(`k${i}`);
  await clock.advance(5);
  assert.equal(queue.depth, 100);
  await clock.advance(995);
  assert.equal(queue.depth, 110);
});

test('a key that comes back at once keeps to 50 a second after a burst of 200; others do not wait for it', async () => {
  const { queue, clock } = make();
  const comeBack = async (): Promise<number> => {
    let count = 0;
    for (; queue.depth > 0; count++) {
      const key = (await queue.take()) ?? '';
      queue.add(key);
      queue.done(key);
    }
    return count;
  };
  queue.add('a');
  assert.equal(await comeBack(), 200);
  queue.add('b');
  assert.equal(await queue.take(), 'b');
  let count = 0;
  for (let i = 0; i < 100; i++) {
    await clock.advance(10);
    count += await comeBack();
  }
  assert.equal(count, 50);
  queue.close();
});
