import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../virtual-clock.ts';
import { draftEvent, EventCorrelator } from './event-correlator.ts';

const make = () => {
  const clock = new VirtualClock();
  const correlator = new EventCorrelator(clock);
  let sequence = 0;
  const tell = (message: string, reason = 'Pulled', name = 'web') =>
    correlator.correlate(
      draftEvent(
        { kind: 'Pod', namespace: 'n', name, uid: `u-${name}`, apiVersion: 'v1' },
        { type: 'Normal', reason, message, source: { component: 'kubelet', host: 'node-1' } },
        { nowMs: clock.now(), sequence: sequence++ },
      ),
    );
  return { clock, tell };
};
const nameOf = (result: ReturnType<EventCorrelator['correlate']>) => (result.do === 'drop' ? '' : result.event.metadata.name);

test('a new event has the fields that kubectl shows', () => {
  const { tell } = make();
  const result = tell('hello');
  assert.deepEqual(result, {
    do: 'create',
    event: {
      metadata: { name: 'web.18867251edfa0000', namespace: 'n' },
      involvedObject: { kind: 'Pod', namespace: 'n', name: 'web', uid: 'u-web', apiVersion: 'v1' },
      type: 'Normal',
      reason: 'Pulled',
      message: 'hello',
      source: { component: 'kubelet', host: 'node-1' },
      reportingComponent: 'kubelet',
      reportingInstance: 'node-1',
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    },
  });
});

test('the same event again counts on the first', async () => {
  const { tell, clock } = make();
  const first = tell('hello');
  await clock.advance(60_000);
  const second = tell('hello');
  assert.ok(second.do === 'count');
  assert.equal(nameOf(second), nameOf(first));
  assert.deepEqual(
    [second.event.count, second.event.firstTimestamp, second.event.lastTimestamp],
    [2, '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  );
  assert.equal(tell('hello', 'Pulling').do, 'create');
});

test('from the tenth message on, similar events share one', () => {
  const { tell } = make();
  const results = Array.from({ length: 12 }, (_, i) => tell(`message ${i}`));
  assert.deepEqual(
    results.map((r) => r.do),
    [...Array(10).fill('create'), 'count', 'count'],
  );
  const last = results[11];
  assert.ok(last?.do === 'count');
  assert.deepEqual([last.event.message, last.event.count], ['(combined from similar events): message 11', 3]);
});

test('a source has 25 events about an object, then one each five minutes', async () => {
  const { tell, clock } = make();
  const done = Array.from({ length: 30 }, () => tell('again').do);
  assert.deepEqual([done.filter((d) => d !== 'drop').length, done.at(-1)], [25, 'drop']);
  assert.equal(tell('again', 'Pulled', 'other').do, 'create');
  await clock.advance(300_000);
  const next = tell('again');
  assert.ok(next.do === 'count');
  assert.equal(next.event.count, 31);
  assert.equal(tell('again').do, 'drop');
});
