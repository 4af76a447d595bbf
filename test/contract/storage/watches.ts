/** Events: order, batches, history, progress, the end. */
import assert from 'node:assert/strict';
import { realClock } from '../../../src/client/clock.ts';
import { VirtualClock } from '../../../src/client/virtual-clock.ts';
import { FutureRevisionError, type StoreEvent } from '../../../src/control-plane/store/storage.ts';
import { committed, describeEvent, type Implementation, itOf, put, takeEvents } from './stores.ts';

const never = new AbortController().signal;

export function testWatches(implementation: Implementation): void {
  const { open } = implementation;
  const it = itOf(implementation);
  it('watch: tells what changed, what it was before, in order', async () => {
    await using store = await open({ clock: realClock });
    const watch = store.watch({ prefix: 'a/', revision: 1 }, never);
    await committed(store, put('a/1', 'x'));
    await committed(store, put('b/1', 'x'));
    await committed(store, put('a/1', 'y'), put('a/2', 'z'));
    await committed(store, { key: 'a/1' });
    await committed(store, put('a/1', 'w'));
    assert.deepEqual((await takeEvents(watch, 5)).map(describeEvent), [
      'put a/1=x@2+2',
      'put a/1=y@4+2 was a/1=x@2+2',
      'put a/2=z@4+4',
      'delete a/1@5 was a/1=y@4+2',
      'put a/1=w@6+6',
    ]);
  });

  it('watch: the batch is with the reader before the commit resolves', async () => {
    await using store = await open({ clock: realClock });
    const stop = new AbortController();
    const order: string[] = [];
    const reading = (async () => {
      for await (const batch of store.watch({ prefix: '', revision: await store.latestRevision() }, stop.signal))
        order.push(`seen ${batch.revision}`);
    })();
    for (let i = 0; i < 3; i++) {
      await committed(store, put('a', `${i}`));
      order.push(`resolved ${await store.latestRevision()}`);
    }
    stop.abort();
    await reading;
    assert.deepEqual(order, ['seen 2', 'resolved 2', 'seen 3', 'resolved 3', 'seen 4', 'resolved 4']);
  });

  it('watch: every watcher sees every event once, in order, under many writers', async () => {
    await using store = await open({ clock: realClock });
    const watchers = Array.from({ length: 5 }, () => takeEvents(store.watch({ prefix: 'k', revision: 1 }, never), 1000));
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let i = 0; i < 50; i++) await committed(store, put(`k${writer}`, `${i}`), put(`other${writer}`, ''));
      }),
    );
    for (const events of await Promise.all(watchers)) {
      assert.deepEqual(
        events.map((event) => event.revision),
        Array.from({ length: 1000 }, (_, i) => i + 2),
      );
      assert(events.every((event) => event.previous === undefined || event.previous.revision < event.revision));
    }
  });

  it('watch: starts at an old revision and goes on with what comes', async () => {
    await using store = await open({ clock: realClock });
    const events: StoreEvent[] = [];
    for (let i = 0; i < 3000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => store.commit([put((i + j) % 3 === 0 ? 'a' : 'b', `${i + j}`)])));
    }
    const watch = store.watch({ prefix: 'a', revision: 500 }, never);
    let live = false;
    for await (const batch of watch) {
      events.push(...batch.events);
      if (batch.revision === 3001 && !live) {
        live = true;
        await committed(store, put('a', 'live'));
      } else if (live) break;
    }
    const want = Array.from({ length: 3000 }, (_, i) => i).filter((i) => i % 3 === 0 && i + 2 > 500);
    assert.deepEqual(
      events.map((event) => `${event.revision} ${Buffer.from(event.current?.value ?? '')}`),
      [...want.map((i) => `${i + 2} ${i}`), '3002 live'],
    );
    assert(events.slice(1).every((event, i) => event.previous?.revision === events[i]?.revision));
  });

  it('watch: a reader that lags misses nothing', async () => {
    await using store = await open({ clock: realClock });
    const watch = store.watch({ prefix: '', revision: 1 }, never)[Symbol.asyncIterator]();
    for (let i = 0; i < 3000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => store.commit([put(`k${j}`, `${i + j}`)])));
    }
    const revisions: number[] = [];
    while (revisions.length < 3000) {
      const { value } = await watch.next();
      for (const event of value?.events ?? []) revisions.push(event.revision);
    }
    assert.deepEqual(
      revisions,
      Array.from({ length: 3000 }, (_, i) => i + 2),
    );
    await watch.return?.();
  });

  it('watch: never splits a revision', async () => {
    await using store = await open({ clock: realClock });
    for (let i = 0; i < 40; i++) {
      await committed(store, ...Array.from({ length: 100 }, (_, j) => put(`k${j}`, `${i}`)));
    }
    const seen = new Map<number, number>();
    for await (const batch of store.watch({ prefix: '', revision: 1 }, never)) {
      for (const revision of new Set(batch.events.map((event) => event.revision))) {
        assert(!seen.has(revision));
        seen.set(revision, batch.events.filter((event) => event.revision === revision).length);
      }
      if (batch.revision === (await store.latestRevision())) break;
    }
    assert.equal(seen.size, 40);
    assert(seen.values().every((count) => count === 100));
  });

  it('watch: tells of progress when nothing happens to its keys, and sets no timer when nothing happens at all', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock, progressMs: 1000 });
    const watch = store.watch({ prefix: 'a', revision: 1 }, never)[Symbol.asyncIterator]();
    const next = watch.next();
    assert.equal(clock.pending, 0);
    await committed(store, put('b', '1'));
    await committed(store, put('b', '2'));
    await clock.advance(1000);
    assert.deepEqual(await next, { done: false, value: { revision: 3, events: [] } });
    assert.equal(clock.pending, 0);
  });

  it('watch: tells of progress when asked to, each watcher once, and nothing to one that has seen everything', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const behind = store.watch({ prefix: 'a', revision: 1 }, never)[Symbol.asyncIterator]();
    const ahead = store.watch({ prefix: 'b', revision: 1 }, never)[Symbol.asyncIterator]();
    const told = [behind.next(), ahead.next()];
    const revision = await committed(store, put('b', '1'));
    assert.deepEqual((await told[1])?.value?.events.length, 1);
    const next = ahead.next();
    for (let i = 0; i < 2; i++) store.requestProgress();
    assert.deepEqual(await told[0], { done: false, value: { revision, events: [] } });
    await committed(store, put('b', '2'));
    assert.deepEqual((await next).value?.events.map(describeEvent), ['put b=2@3+2 was b=1@2+2']);
  });

  it('watch: catching up without events is told as progress', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('b', '1'));
    const watch = store.watch({ prefix: 'a', revision: 1 }, never)[Symbol.asyncIterator]();
    assert.deepEqual(await watch.next(), { done: false, value: { revision: 2, events: [] } });
  });

  it('watch: carries attachments to events', async () => {
    await using store = await open({ clock: realClock });
    const first = { n: 1 };
    const second = { n: 2 };
    const watch = store.watch({ prefix: '', revision: 1 }, never);
    await committed(store, put('a', '1', { attachment: first }));
    await committed(store, put('a', '2', { attachment: second }));
    const [, event] = await takeEvents(watch, 2);
    assert.equal(event?.current?.attachment, second);
    assert.equal(event?.previous?.attachment, first);
  });

  it('watch: a revision that is not there yet', async () => {
    await using store = await open({ clock: realClock });
    await assert.rejects(takeEvents(store.watch({ prefix: '', revision: 2 }, never), 1), FutureRevisionError);
  });

  it('watch: ends when its signal aborts, when it has aborted before, and when the store closes', async () => {
    const store = await open({ clock: realClock });
    const stop = new AbortController();
    const ends = [
      takeEvents(store.watch({ prefix: '', revision: 1 }, stop.signal), 1),
      takeEvents(store.watch({ prefix: '', revision: 1 }, AbortSignal.abort()), 1),
      takeEvents(store.watch({ prefix: '', revision: 1 }, never), 1),
    ];
    stop.abort();
    assert.deepEqual(await ends[0], []);
    assert.deepEqual(await ends[1], []);
    await store[Symbol.asyncDispose]();
    assert.deepEqual(await ends[2], []);
  });
}
