import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { Deadlines } from './deadlines.ts';

it('expires what has not ended in time, on a timer that runs only while needed', async () => {
  const clock = new VirtualClock();
  using deadlines = new Deadlines(clock, 5000);
  const expired: string[] = [];
  const start = (name: string): object => {
    const key = {};
    deadlines.start(key, () => expired.push(name));
    return key;
  };
  start('a');
  await clock.advance(3000);
  const b = start('b');
  start('c');
  deadlines.end(b);
  await clock.advance(2000);
  assert.deepEqual(expired, ['a']);
  await clock.advance(3000);
  assert.deepEqual(expired, ['a', 'c']);
  assert.equal(clock.pending, 0);
});
