import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import { silentLog } from '../log.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { createEventWriter } from './event-writer.ts';

const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'n', uid: 'u' } };

function make(answer: (call: string) => void = () => undefined) {
  const calls: string[] = [];
  const call = (text: string): void => {
    calls.push(text);
    answer(text);
  };
  const client = {
    create: async (_kind: unknown, event: { message: string; count: number }) => call(`create ${event.message} ${event.count}`),
    patch: async (_kind: unknown, _at: unknown, { body }: { body: { message: string; count: number } }) =>
      call(`patch ${body.message} ${body.count}`),
  } as unknown as Client;
  const clock = new VirtualClock();
  const writer = createEventWriter(client, { component: 'test', clock, log: silentLog });
  return { writer, clock, calls };
}

test('an event is created, and counted when it comes again', async () => {
  const { writer, clock, calls } = make();
  await using _ = writer;
  for (let i = 0; i < 3; i++) writer.event(pod, 'Normal', 'Pulled', 'hello');
  writer.event(pod, 'Normal', 'Started', 'there');
  assert.deepEqual(calls, ['create hello 1']);
  await clock.advance(0);
  assert.deepEqual(calls, ['create hello 1', 'patch hello 2', 'patch hello 3', 'create there 1']);
});

test('writers that begin together give the events of one object different names', async () => {
  const clock = new VirtualClock();
  const names = new Set<string>();
  const client = {
    create: async (_kind: unknown, { metadata }: KubeObject) => void names.add(metadata.name ?? ''),
  } as unknown as Client;
  const sources = [{ component: 'scheduler' }, { component: 'kubelet', host: 'node-1' }, { component: 'kubelet', host: 'node-2' }];
  for (const source of sources) {
    await using writer = createEventWriter(client, { ...source, clock, log: silentLog });
    writer.event(pod, 'Normal', 'Told', 'once');
    await clock.advance(0);
  }
  assert.equal(names.size, sources.length);
});

test('an Event that was deleted meanwhile is made anew', async () => {
  const { writer, clock, calls } = make((text) => {
    if (text.startsWith('patch')) throw errors.notFound({ group: '', resource: 'events' }, 'x');
  });
  await using _ = writer;
  writer.event(pod, 'Normal', 'Pulled', 'hello');
  writer.event(pod, 'Normal', 'Pulled', 'hello');
  await clock.advance(0);
  assert.deepEqual(calls, ['create hello 1', 'patch hello 2', 'create hello 2']);
});

test('a lost connection is tried again, a refusal is not', async () => {
  let down = true;
  const { writer, clock, calls } = make((text) => {
    if (text.includes('refused')) throw errors.forbidden({ group: '', resource: 'events' }, '', 'no');
    if (down) throw new Error('connection refused');
  });
  await using _ = writer;
  writer.event(pod, 'Normal', 'Pulled', 'hello');
  writer.event(pod, 'Normal', 'Pulled', 'refused');
  await clock.advance(10_000);
  down = false;
  await clock.advance(10_000);
  assert.deepEqual(calls, ['create hello 1', 'create hello 1', 'create hello 1', 'create refused 1']);
});

test('what spams never reaches the queue, and nothing is left after a stop', async () => {
  const { writer, clock, calls } = make();
  for (let i = 0; i < 5000; i++) writer.event(pod, 'Normal', 'Pulled', 'hello');
  await clock.advance(0);
  assert.equal(calls.length, 25);
  await writer[Symbol.asyncDispose]();
  writer.event(pod, 'Normal', 'Late', 'hello');
  assert.equal(calls.length, 25);
  assert.equal(clock.pending, 0);
});
