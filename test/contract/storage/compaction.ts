/** History is forgotten, and only history. */
import assert from 'node:assert/strict';
import { realClock } from '../../../src/client/clock.ts';
import { VirtualClock } from '../../../src/client/virtual-clock.ts';
import { CompactedError, FutureRevisionError, type Storage } from '../../../src/control-plane/store/storage.ts';
import { committed, describeEvent, type Implementation, itOf, list, put, takeEvents } from './stores.ts';

/** In steps, each with what it set off in the store, disk included. */
async function passTime(store: Storage, clock: VirtualClock, durationMs: number): Promise<void> {
  for (let step = 0; step < 20; step++) {
    await clock.advance(durationMs / 20);
    await store.commit([{ key: 'nothing' }]);
  }
}

const never = new AbortController().signal;

export function testCompaction(implementation: Implementation): void {
  const { open } = implementation;
  const it = itOf(implementation);
  it('compact: older revisions are gone, the compacted one and all after it can be read and watched', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a', '1'), put('b', '1'));
    await committed(store, put('a', '2'));
    await committed(store, { key: 'b' });
    await committed(store, put('a', '3'));
    await store.compact(4);
    assert.equal(store.compactedRevision, 4);
    await assert.rejects(store.range({ prefix: '', atRevision: 3 }), CompactedError);
    await assert.rejects(store.range({ key: 'a', atRevision: 1 }), CompactedError);
    await assert.rejects(takeEvents(store.watch({ prefix: '', revision: 3 }, never), 1), CompactedError);
    assert.deepEqual(await list(store, '', 4), ['a=2@3+2']);
    assert.deepEqual(await list(store, ''), ['a=3@5+2']);
    assert.deepEqual((await takeEvents(store.watch({ prefix: '', revision: 4 }, never), 1)).map(describeEvent), [
      'put a=3@5+2 was a=2@3+2',
    ]);
  });

  it('compact: an older revision than the compacted one changes nothing, a future one is refused', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a', '1'));
    await committed(store, put('a', '2'));
    await store.compact(3);
    await store.compact(2);
    assert.equal(store.compactedRevision, 3);
    await assert.rejects(store.compact(4), FutureRevisionError);
    assert.deepEqual(await list(store, ''), ['a=2@3+2']);
  });

  it('compact: a key that comes back while its deletion is swept', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a', '1'));
    await committed(store, { key: 'a' });
    const [created] = await Promise.all([store.commit([put('a', '2', { expect: 'absent' })]), store.compact(3)]);
    assert.deepEqual(created, { ok: true, revision: 4 });
    await store.compact(4);
    assert.deepEqual(await list(store, ''), ['a=2@4+4']);
    await committed(store, { key: 'a', expect: 4 });
    await store.compact(5);
    assert.deepEqual(await list(store, ''), []);
  });

  it('compact: a watcher that is too far behind is told', async () => {
    await using store = await open({ clock: realClock });
    const watch = store.watch({ prefix: '', revision: 1 }, never);
    for (let i = 0; i < 5; i++) await committed(store, put('a', `${i}`));
    await store.compact(4);
    await assert.rejects(takeEvents(watch, 1), CompactedError);
  });

  it('compact: gives the space back', async () => {
    await using store = await open({ clock: realClock });
    const write = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await committed(store, ...Array.from({ length: 100 }, (_, j) => put(`k${j}`, 'x'.repeat(500))));
      await store.compact(await store.latestRevision());
    };
    for (let i = 0; i < 3; i++) await write();
    const before = await store.sizeBytes();
    for (let i = 0; i < 10; i++) await write();
    assert((await store.sizeBytes()) <= before * 1.1, `${before} bytes became ${await store.sizeBytes()}`);
    assert.equal((await list(store, '')).length, 100);
  });

  it('compact: by itself, after the time for which history is kept, down to the revisions that are', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock, historyMs: 60_000, historyRevisions: 10 });
    for (let i = 0; i < 100; i++) await committed(store, put('a', `${i}`));
    await clock.advance(59_000);
    assert.equal(store.compactedRevision, 1);
    for (let i = 0; i < 100; i++) await committed(store, put('a', `${i}`));
    await passTime(store, clock, 6_000);
    await store.range({ prefix: '', atRevision: 150 });
    assert(store.compactedRevision < 150);
    await passTime(store, clock, 120_000);
    assert.equal(store.compactedRevision, 191);
    assert.deepEqual(await list(store, 'a', 191), ['a=89@191+2']);
  });

  it('compact: an idle store has no timer', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock, historyMs: 60_000, historyRevisions: 10 });
    for (let i = 0; i < 10; i++) await committed(store, put('a', `${i}`));
    assert.equal(clock.pending, 0);
    for (let i = 0; i < 10; i++) await committed(store, put('a', `${i}`));
    assert.equal(clock.pending, 1);
    await passTime(store, clock, 600_000);
    assert.equal(clock.pending, 0);
  });
}
