/** What the engine does when its tables can't write. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Log, silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { StoreEngine } from './engine.ts';
import { MemoryTables } from './memory-tables.ts';
import { type Op, type StoreEvents, StoreUnavailableError } from './storage.ts';
import type { WriteBatch } from './tables.ts';

/** Fails while `full`; a write that is held lasts until `release`. */
class FailingTables extends MemoryTables {
  full = false;
  #held: PromiseWithResolvers<void> | undefined;

  hold(): void {
    this.#held = Promise.withResolvers();
  }
  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }
  override write(batch: WriteBatch): Promise<void> | undefined {
    if (!this.#held && !this.full) return super.write(batch);
    return (this.#held?.promise ?? Promise.resolve()).then(() => {
      if (this.full) throw new Error('no space left');
      return super.write(batch);
    });
  }
}

const put = (key: string, value: string, more: Partial<Op> = {}): Op => ({ key, put: Buffer.from(value), ...more });

async function keysOf(store: StoreEngine): Promise<string[]> {
  return (await store.range({ prefix: '' })).items.map((item) => `${item.key}=${Buffer.from(item.value)}@${item.revision}`);
}

it('a write that fails leaves no trace, nor does what was queued behind it', async () => {
  const tables = new FailingTables();
  const lines: string[] = [];
  const tell = (_fields: object, message: string): void => void lines.push(message);
  const log: Log = { ...silentLog, error: tell, info: tell };
  await using store = new StoreEngine(tables, { clock: new VirtualClock(), log });
  await store.commit([put('a', '0')]);
  const watch = store.watch({ prefix: '', revision: store.revision }, new AbortController().signal)[Symbol.asyncIterator]();
  const next = watch.next();

  tables.full = true;
  tables.hold();
  const first = [store.commit([put('a', '1', { expect: 2 })]), store.commit([put('b', '1')])];
  await new Promise(setImmediate);
  const behind = [store.commit([put('a', '2', { expect: 3 })]), store.commit([put('c', '1')]), store.grantLease(10)];
  tables.release();
  for (const write of [...first, ...behind]) await assert.rejects(write, StoreUnavailableError);
  assert.equal(store.revision, 2);
  assert.deepEqual(await keysOf(store), ['a=0@2']);

  tables.full = false;
  assert.deepEqual(await store.commit([put('a', '3', { expect: 2 })]), { ok: true, revision: 3 });
  const batch: StoreEvents = (await next).value;
  assert.deepEqual(
    batch.events.map((event) => event.revision),
    [3],
  );
  assert.deepEqual(await keysOf(store), ['a=3@3']);
  assert.deepEqual(lines, ['the store can not write', 'the store can write again']);
});

it('who lost to a write that then failed learns that the store is unavailable', async () => {
  const tables = new FailingTables();
  await using store = new StoreEngine(tables, { clock: new VirtualClock() });
  tables.full = true;
  const [first, second] = [store.commit([put('a', '1')]), store.commit([put('a', '2', { expect: 'absent' })])];
  await assert.rejects(first, StoreUnavailableError);
  await assert.rejects(second, StoreUnavailableError);
});

it('a lease whose keys could not be deleted is ended when they can', async () => {
  const clock = new VirtualClock();
  const tables = new FailingTables();
  await using store = new StoreEngine(tables, { clock });
  const lease = await store.grantLease(10);
  await store.commit([put('a', '1', { lease })]);
  tables.full = true;
  await clock.advance(15_000);
  assert.deepEqual(await keysOf(store), ['a=1@2']);
  tables.full = false;
  await clock.advance(1_000);
  assert.deepEqual(await keysOf(store), []);
  assert.equal(clock.pending, 0);
});

it('a compaction that could not be written is taken up again', async () => {
  const clock = new VirtualClock();
  const tables = new FailingTables();
  await using store = new StoreEngine(tables, { clock, historyMs: 16_000, historyRevisions: 5 });
  for (let i = 0; i < 50; i++) await store.commit([put('a', `${i}`)]);
  const before = await store.sizeBytes();
  await clock.advance(20_000);
  tables.full = true;
  await clock.advance(20_000);
  assert.equal(store.compactedRevision, 46);
  assert.equal(await store.sizeBytes(), before);
  tables.full = false;
  await clock.advance(5_000);
  assert.equal(store.compactedRevision, 46);
  assert((await store.sizeBytes()) < before / 4);
  assert.equal(clock.pending, 0);
});
