import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestPod, testFacts } from '../../../test/kit/scheduler-objects.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import type { ClusterEvent, EventHints } from './framework.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

const podRemoved: ClusterEvent = { type: 'pod-removed', old: testFacts('other') };
const onRemoval: readonly EventHints[] = [{ 'pod-removed': () => true }];
const minutes = 60_000;

class TestQueue {
  readonly clock = new VirtualClock();
  wakes = 0;
  readonly queue = new SchedulingQueue(this.clock, () => {
    this.wakes++;
  });
  add(name: string, pod: TestPod = {}): void {
    this.queue.add(testFacts(name, pod));
  }
  pop(): QueuedPod {
    const queued = this.queue.pop();
    assert.ok(queued, 'there is a pod to try');
    return queued;
  }
  popAll(): readonly string[] {
    const names: string[] = [];
    for (let queued = this.queue.pop(); queued; queued = this.queue.pop()) names.push(queued.pod.name);
    return names;
  }
  rejectNext(hints = onRemoval): void {
    this.queue.reject(this.pop(), hints);
  }
}

test('by priority, then as they came', () => {
  const q = new TestQueue();
  q.add('a');
  q.add('b', { priority: 10 });
  q.add('c', { priority: -1 });
  q.add('d', { priority: 10 });
  assert.deepEqual(q.popAll(), ['b', 'd', 'a', 'c']);
});

test('one that failed goes behind those of its priority that wait', async () => {
  const q = new TestQueue();
  q.add('a');
  q.add('b');
  q.rejectNext();
  await q.clock.advance(2000);
  q.queue.happened(podRemoved);
  assert.deepEqual(q.popAll(), ['b', 'a']);
});

test('a rejected pod waits for an event that may help, not for others', () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext([{ 'pod-removed': (_pod, { old }) => old.name === 'helper' }, { 'node-added': () => false }]);
  assert.deepEqual(q.queue.counts, { active: 0, backOff: 0, unschedulable: 1, gated: 0 });
  const wakes = q.wakes;
  q.queue.happened(podRemoved);
  q.queue.happened({ type: 'pod-assigned', pod: testFacts('helper') });
  assert.equal(q.wakes, wakes);
  assert.equal(q.queue.pop(), undefined);
  q.queue.happened({ type: 'pod-removed', old: testFacts('helper') });
  assert.equal(q.pop().attempts, 2);
});

test('an event can be about some pods only', () => {
  const q = new TestQueue();
  q.add('high', { priority: 10 });
  q.add('low');
  q.rejectNext();
  q.rejectNext();
  q.queue.happened(podRemoved, ({ priority }) => priority <= 5);
  assert.deepEqual(q.popAll(), ['low']);
});

test('while its back-off runs, a pod is tried only if nothing else is there', async () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext();
  q.queue.happened(podRemoved);
  q.add('b', { priority: -5 });
  assert.deepEqual(q.queue.counts, { active: 1, backOff: 1, unschedulable: 0, gated: 0 });
  assert.deepEqual(q.popAll(), ['b', 'a']);
});

test('once its back-off is over, its priority counts again', async () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext();
  q.queue.happened(podRemoved);
  q.add('b', { priority: -5 });
  await q.clock.advance(1000);
  assert.deepEqual(q.popAll(), ['a', 'b']);
});

test('after five minutes a pod is tried whatever happened', async () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext();
  await q.clock.advance(5 * minutes - 1);
  assert.equal(q.queue.pop(), undefined);
  const wakes = q.wakes;
  await q.clock.advance(1);
  assert.equal(q.wakes, wakes + 1);
  assert.deepEqual(q.popAll(), ['a']);
  assert.equal(q.clock.pending, 0);
});

test('an error is tried again after its back-off, which doubles up to ten seconds', async () => {
  const q = new TestQueue();
  q.add('a');
  for (const seconds of [1, 2, 4, 8, 10, 10]) {
    q.queue.fail(q.pop());
    await q.clock.advance(seconds * 1000 - 1);
    assert.equal(q.queue.pop(), undefined, `not before ${seconds} s`);
    await q.clock.advance(1);
  }
  q.rejectNext();
  q.queue.happened(podRemoved);
  q.queue.fail(q.pop());
  await q.clock.advance(1000);
  assert.deepEqual(q.popAll(), ['a'], 'a rejection ends the row of errors');
});

test('gates keep a pod out until they are gone', () => {
  const q = new TestQueue();
  q.add('a', { schedulingGates: [{ name: 'x' }, { name: 'y' }] });
  assert.equal(q.queue.pop(), undefined);
  assert.deepEqual(q.queue.counts, { active: 0, backOff: 0, unschedulable: 0, gated: 1 });
  q.queue.happened(podRemoved);
  q.queue.update(testFacts('a', { schedulingGates: [{ name: 'y' }] }));
  assert.equal(q.queue.pop(), undefined);
  q.queue.update(testFacts('a'));
  assert.equal(q.pop().attempts, 1);
});

test("a pod's own change helps when a plugin says so", () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext([{ 'own-pod-changed': (pod, { old }) => pod.labels['x'] !== old.labels['x'] }]);
  q.queue.update(testFacts('a', { labels: { y: '1' } }));
  assert.equal(q.queue.pop(), undefined);
  q.queue.update(testFacts('a', { labels: { x: '1' } }));
  assert.equal(q.pop().pod.labels['x'], '1');
});

test('a pod that changes while it is tried comes back as it is then', async () => {
  const q = new TestQueue();
  q.add('a');
  const queued = q.pop();
  q.queue.update(testFacts('a', { labels: { x: '1' } }));
  q.queue.fail(queued);
  await q.clock.advance(1000);
  assert.equal(q.pop().pod.labels['x'], '1');
});

test('a pod that is deleted while it is tried does not come back', async () => {
  const q = new TestQueue();
  q.add('a');
  q.add('b');
  const [a, b] = [q.pop(), q.pop()];
  q.queue.delete('a');
  q.queue.delete('b');
  q.queue.fail(a);
  q.queue.reject(b, onRemoval);
  q.queue.happened(podRemoved);
  await q.clock.advance(10 * minutes);
  assert.equal(q.queue.pop(), undefined);
  assert.equal(q.clock.pending, 0);
});

test('a pod that is deleted and made anew is another', () => {
  const q = new TestQueue();
  q.add('a');
  const first = q.pop();
  q.queue.delete('a');
  q.add('a');
  q.queue.done(first);
  assert.deepEqual(q.popAll(), ['a']);
});

test('a pod that is held is tried when it is released, if something happened', () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext();
  q.queue.hold('a');
  q.queue.happened(podRemoved);
  assert.equal(q.queue.pop(), undefined);
  q.queue.release('a');
  q.rejectNext();
  q.queue.hold('a');
  q.queue.release('a');
  assert.equal(q.queue.pop(), undefined, 'nothing happened');
  q.queue.hold('a');
  q.queue.release('a', true);
  assert.deepEqual(q.popAll(), ['a']);
});

test('a stopped queue leaves no timer', () => {
  const q = new TestQueue();
  q.add('a');
  q.rejectNext();
  assert.equal(q.clock.pending, 1);
  q.queue.stop();
  assert.equal(q.clock.pending, 0);
});
