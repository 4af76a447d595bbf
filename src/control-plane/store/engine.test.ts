/** What the engine does when its tables can't write. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Clock } from '../../client/clock.ts';
import { type Log, silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { StoreEngine } from './engine.ts';
import { MemoryTables } from './memory-tables.ts';
import { type Op, type StoreEvents, StoreUnavailableError } from './storage.ts';
import { type Head, positionOf, type WriteBatch } from './tables.ts';

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
  const watch = store.watch({ prefix: '', revision: store.latestRevision() }, new AbortController().signal)[Symbol.asyncIterator]();
  const next = watch.next();

  tables.full = true;
  tables.hold();
  const first = [store.commit([put('a', '1', { expect: 2 })]), store.commit([put('b', '1')])];
  await new Promise(setImmediate);
  const behind = [store.commit([put('a', '2', { expect: 3 })]), store.commit([put('c', '1')]), store.grantLease(10)];
  tables.release();
  for (const write of [...first, ...behind]) await assert.rejects(write, StoreUnavailableError);
  assert.equal(store.latestRevision(), 2);
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

it('a value that is not where it was written is damage, not an absent key', async () => {
  class HoledTables extends MemoryTables {
    override readonly state = { revision: 2, compacted: 1, swept: 1, lastLease: 0 };
    override *heads(): Iterable<readonly [string, Head]> {
      yield ['a', { position: positionOf(2, 0), createRevision: 2, lease: 0, deleted: false }];
    }
  }
  await using store = new StoreEngine(new HoledTables(), { clock: new VirtualClock() });
  await assert.rejects(store.range({ prefix: '' }), { name: 'StoreDamagedError', message: /damaged: the value of a/ });
});

it('says whether it can write: by trying, once for all who ask, and not again right after a success', async () => {
  let hasRoom = true;
  let writes = 0;
  class FullTables extends MemoryTables {
    override async checkRoom(): Promise<void> {
      if (!hasRoom) throw new Error('full');
    }
    override write(...args: Parameters<MemoryTables['write']>): ReturnType<MemoryTables['write']> {
      writes++;
      return super.write(...args);
    }
  }
  const clock = new VirtualClock();
  await using store = new StoreEngine(new FullTables(), { clock });
  const revision = store.latestRevision();
  await Promise.all(Array.from({ length: 100 }, () => store.checkWritable()));
  await store.checkWritable();
  assert.equal(writes, 1);
  hasRoom = false;
  await clock.advance(1_000);
  await assert.rejects(store.checkWritable(), /full/);
  await assert.rejects(store.checkWritable(), /full/);
  hasRoom = true;
  await store.checkWritable();
  assert.equal(writes, 2);
  assert.equal(store.latestRevision(), revision);
});

it('setting the wall clock ends no lease early, and none late', async () => {
  for (const jumpMs of [86_400_000, -86_400_000]) {
    const clock = new VirtualClock();
    let wallMs = 0;
    const jumping: Clock = {
      now: () => clock.now() + wallMs,
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
      setInterval: (callback, periodMs) => clock.setInterval(callback, periodMs),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    };
    await using store = new StoreEngine(new MemoryTables(), { clock: jumping });
    await store.commit([put('a', '0', { lease: await store.grantLease(60) })]);
    wallMs = jumpMs;
    await store.grantLease(1000);
    await clock.advance(59_000);
    assert.equal((await keysOf(store)).length, 1, String(jumpMs));
    await clock.advance(2_000);
    assert.equal((await keysOf(store)).length, 0, String(jumpMs));
  }
});
