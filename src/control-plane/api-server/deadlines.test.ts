import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { Deadlines } from './deadlines.ts';
import { FlowControl } from './flow-control.ts';

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

it('lets requests wait in order, and refuses what finds the queue full', async () => {
  const flow = new FlowControl({ readOnlyMax: 1, mutatingMax: 1, queueMax: 1 });
  const user = { name: 'a', groups: [] };
  assert.equal(flow.enter('mutating', user), undefined);
  const waiting = flow.enter('mutating', user);
  assert.throws(() => flow.enter('mutating', user), { code: 429 });
  assert.equal(flow.enter('mutating', { name: 'root', groups: ['system:masters'] }), undefined);
  flow.leave('mutating');
  await waiting;
  flow.leave('mutating');
  flow.leave('mutating');
  assert.deepEqual([flow.executing('mutating'), flow.waiting('mutating')], [0, 0]);
});
