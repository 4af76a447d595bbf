import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observedContainer, observedSandbox } from '../../../test/kit/test-pods.ts';
import { seededRandom } from '../../client/clock.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { describeDuration } from './back-off.ts';
import { planGarbage } from './pod/garbage.ts';
import { subresourcesOf } from './server/request-authority.ts';
import { TimerWheel } from './timer-wheel.ts';

test('a wheel fires each timer once, not early, within a tick, on a single timer of the clock', async () => {
  const clock = new VirtualClock();
  const random = seededRandom(7);
  using wheel = new TimerWheel(clock);
  const late: number[] = [];
  for (let i = 0; i < 500; i++) {
    const delayMs = Math.floor(random.next() * 20_000);
    wheel.setTimeout(() => late.push(clock.monotonic() - delayMs), delayMs);
  }
  assert.equal(clock.pending, 1);
  await clock.advance(20_100);
  assert.deepEqual([late.length, late.every((ms) => ms >= 0 && ms <= 100), clock.pending], [500, true, 0]);
});

test('a timer that is cancelled, and one that is set by another', async () => {
  const clock = new VirtualClock();
  using wheel = new TimerWheel(clock);
  const fired: string[] = [];
  wheel.setTimeout(() => fired.push('no'), 100).cancel();
  wheel.setTimeout(() => wheel.setTimeout(() => fired.push('second'), 0), 200);
  await clock.advance(1000);
  assert.deepEqual(fired, ['second']);
});

test('durations as Go prints them', () => {
  assert.deepEqual([0, 5, 999, 1000, 10_000, 80_000, 300_000, 3_601_500].map(describeDuration), [
    '0s',
    '5ms',
    '999ms',
    '1s',
    '10s',
    '1m20s',
    '5m0s',
    '1h0m1.5s',
  ]);
});

test('garbage: all but the last two instances, and sandboxes that nothing refers to', () => {
  const observed = {
    sandboxes: [observedSandbox({ id: 'c' }), observedSandbox({ id: 'b', ready: false }), observedSandbox({ id: 'a', ready: false })],
    containers: [
      observedContainer('main', 'running', { id: '3', sandboxID: 'c' }),
      observedContainer('main', 'exited', { id: '2', sandboxID: 'b' }),
      observedContainer('main', 'exited', { id: '1', sandboxID: 'a' }),
      observedContainer('other', 'exited', { id: '0', sandboxID: 'b' }),
    ],
  };
  assert.deepEqual(planGarbage(observed), { containerIDs: ['1'], sandboxIDs: ['a'] });
});

test('what has to be allowed for a path', () => {
  for (const [path, want] of [
    ['/pods', 'pods,proxy'],
    ['/runningpods/', 'pods,proxy'],
    ['/healthz', 'healthz,proxy'],
    ['/stats/summary', 'stats'],
    ['/metrics/resource', 'metrics'],
    ['/containerLogs/a/b/c', 'proxy'],
    ['/exec/a/b/c', 'proxy'],
    ['/', 'proxy'],
  ] as const) {
    assert.equal(subresourcesOf(path).join(), want, path);
  }
});
