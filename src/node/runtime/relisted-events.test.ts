import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { RuntimeError, type RuntimeEvent } from './container-runtime.ts';
import type { Container, ContainerState, PodSandbox } from './cri-types.ts';
import { type Listed, planEvents, relistedEvents } from './relisted-events.ts';

const listed = (life: Listed['life']): Listed => ({ podUid: 'uid', podSandboxId: 'sandbox', life });

describe('planEvents', () => {
  const table: { name: string; before?: Listed['life']; after?: Listed['life']; want: RuntimeEvent['type'][] }[] = [
    { name: 'new', after: 'created', want: ['created'] },
    { name: 'new and up', after: 'running', want: ['started'] },
    { name: 'new and over', after: 'stopped', want: ['stopped'] },
    { name: 'the same', before: 'running', after: 'running', want: [] },
    { name: 'started', before: 'created', after: 'running', want: ['started'] },
    { name: 'ended', before: 'running', after: 'stopped', want: ['stopped'] },
    { name: 'removed', before: 'stopped', want: ['deleted'] },
    { name: 'removed while up', before: 'running', want: ['stopped', 'deleted'] },
  ];
  for (const { name, before, after, want } of table)
    it(name, () => {
      const listing = (life?: Listed['life']) => new Map(life ? [['id', listed(life)]] : []);
      assert.deepEqual(
        planEvents(listing(before), listing(after)).map(({ type }) => type),
        want,
      );
    });
});

describe('relistedEvents', () => {
  const setUp = (hints: (signal: AbortSignal) => AsyncIterable<string>) => {
    const clock = new VirtualClock();
    const states = new Map<string, ContainerState>([['one', 'CONTAINER_RUNNING']]);
    const ended = new AbortController();
    const seen: string[] = [];
    let lists = 0;
    const runtime = {
      listPodSandbox: async () => [{ id: 'sandbox', metadata: { uid: 'uid' }, state: 'SANDBOX_READY' } as PodSandbox],
      listContainers: async () => {
        lists++;
        return [...states].map(([id, state]) => ({ id, podSandboxId: 'sandbox', state }) as Container);
      },
    };
    const reading = (async () => {
      const events = relistedEvents({ runtime, clock, log: silentLog, hints, signal: ended.signal });
      for await (const { type, containerId } of events) seen.push(`${type} ${containerId}`);
    })();
    const stop = async (): Promise<void> => {
      ended.abort();
      await reading;
      assert.equal(clock.pending, 0);
    };
    return { clock, states, seen, stop, lists: () => lists };
  };
  const never: (signal: AbortSignal) => AsyncIterable<string> = async function* (signal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield* [];
  };

  it('lists every second where there are no hints', async () => {
    // biome-ignore lint/correctness/useYield: a stream that fails at once
    const { clock, states, seen, stop } = setUp(async function* () {
      throw new RuntimeError('Unimplemented', 'unknown service');
    });
    await clock.advance(0);
    assert.deepEqual(seen, ['started sandbox', 'started one']);
    states.set('one', 'CONTAINER_EXITED');
    await clock.advance(1000);
    assert.deepEqual(seen.slice(2), ['stopped one']);
    await stop();
  });

  it('lists seldom where hints come, but a few times after each', async () => {
    let hint = (_: string): void => {};
    const { clock, states, seen, stop, lists } = setUp(async function* (signal) {
      const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
      while (!signal.aborted) {
        const next = await Promise.race([stopped, new Promise<string>((resolve) => (hint = resolve))]);
        if (next !== undefined) yield next;
      }
    });
    await clock.advance(10_000);
    const quiet = lists();
    assert.ok(quiet <= 2, `${quiet} lists without a hint`);
    hint('one');
    await clock.advance(50);
    states.set('one', 'CONTAINER_EXITED');
    await clock.advance(400);
    assert.deepEqual(seen.slice(2), ['stopped one']);
    await clock.advance(2000);
    const found = lists();
    await clock.advance(20_000);
    assert.equal(lists(), found);
    await stop();
  });

  it('finds the end of a container whose start was seen after the hint of its end', async () => {
    let hint = (_: string): void => {};
    const { clock, states, seen, stop } = setUp(async function* (signal) {
      const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
      while (!signal.aborted) {
        const next = await Promise.race([stopped, new Promise<string>((resolve) => (hint = resolve))]);
        if (next !== undefined) yield next;
      }
    });
    await clock.advance(10_000);
    states.set('two', 'CONTAINER_RUNNING'); // it has ended already, and its runtime does not know yet
    hint('two');
    await clock.advance(20);
    assert.deepEqual(seen.slice(2), ['started two']);
    states.set('two', 'CONTAINER_EXITED');
    await clock.advance(2000);
    assert.deepEqual(seen.slice(3), ['stopped two']);
    await stop();
  });

  it('lists again after a stream of hints broke', async () => {
    let broken = 0;
    // biome-ignore lint/correctness/useYield: a stream that fails at once
    const { clock, states, seen, stop } = setUp(async function* () {
      broken++;
      throw new RuntimeError('Unavailable', 'connection dropped');
    });
    await clock.advance(3000);
    states.set('one', 'CONTAINER_EXITED');
    await clock.advance(1000);
    assert.ok(broken >= 3);
    assert.deepEqual(seen.slice(2), ['stopped one']);
    await stop();
  });

  it('ends when it is told to', async () => {
    const { clock, seen, stop } = setUp(never);
    await clock.advance(0);
    assert.equal(seen.length, 2);
    await stop();
  });
});
