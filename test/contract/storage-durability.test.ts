/** What the durable store promises beyond the contract: restarts, kill -9, one owner, a full disk, a bounded file. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Clock, realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { openLmdbStore } from '../../src/control-plane/store/lmdb-store.ts';
import {
  CompactedError,
  type Revision,
  type Storage,
  StoreDamagedError,
  StoreUnavailableError,
} from '../../src/control-plane/store/storage.ts';
import { committed, describeEvent, list, put, takeEvents, temporaryDirectory, text } from './storage/stores.ts';

const never = new AbortController().signal;
const killRounds = 100;
const cutRounds = 100;
const flipRounds = 150;
const pageBytes = 8192;
const childProgram = fileURLToPath(new URL('storage/writing-child.ts', import.meta.url));

function open(path: string, clock: Clock = realClock): Promise<Storage> {
  return openLmdbStore({ path, clock, log: silentLog });
}

it('everything is there after a restart: state, history, compaction, leases', async () => {
  await using directory = await temporaryDirectory();
  const clock = new VirtualClock();
  let lease: number;
  {
    await using store = await open(directory.path, clock);
    lease = await store.grantLease(60);
    await committed(store, put('a', '1'));
    await committed(store, put('a', '2'), put('leased', '1', { lease }), put('gone', '1'));
    await committed(store, { key: 'gone' });
    await store.compact(3);
    await clock.advance(20_000);
  }
  await clock.advance(20_000);
  {
    await using store = await open(directory.path, clock);
    assert.equal(await store.latestRevision(), 4);
    assert.equal(store.compactedRevision, 3);
    assert.deepEqual(await list(store, ''), ['a=2@3+2', 'leased=1@3+3']);
    assert.deepEqual(await list(store, '', 3), ['a=2@3+2', 'gone=1@3+3', 'leased=1@3+3']);
    await assert.rejects(store.range({ prefix: '', atRevision: 2 }), CompactedError);
    const events = takeEvents(store.watch({ prefix: '', revision: 3 }, never), 2);
    await clock.advance(20_000);
    assert.deepEqual((await events).map(describeEvent), ['delete gone@4 was gone=1@3+3', 'delete leased@5 was leased=1@3+3']);
    assert.notEqual(await store.grantLease(10), lease);
  }
});

it('a lease that ended while nobody ran ends at the start', async () => {
  await using directory = await temporaryDirectory();
  const clock = new VirtualClock();
  {
    await using store = await open(directory.path, clock);
    await committed(store, put('a', '1', { lease: await store.grantLease(60) }));
  }
  await clock.advance(3_600_000);
  await using store = await open(directory.path, clock);
  const events = takeEvents(store.watch({ prefix: '', revision: 2 }, never), 1);
  await clock.advance(0);
  assert.deepEqual((await events).map(describeEvent), ['delete a@3 was a=1@2+2']);
});

it('a second owner is refused, by name, as long as the first one has the store', async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  const inUse = { name: 'StoreUnavailableError', message: `the store in ${path} is in use by process ${process.pid}` };
  {
    await using first = await open(path);
    await assert.rejects(open(path), inUse);
    await assert.rejects(open(path), inUse);
    await committed(first, put('a', '1'));
  }
  await using next = await open(path);
  assert.deepEqual(await list(next, ''), ['a=1@2+2']);

  await using elsewhere = await temporaryDirectory();
  await using child = new WritingChild({ path: elsewhere.path, writers: 1 });
  await child.acknowledged(1);
  await assert.rejects(open(elsewhere.path), {
    name: 'StoreUnavailableError',
    message: `the store in ${elsewhere.path} is in use by process ${child.pid}`,
  });
});

it('a file that is no store, or no whole one, is refused by name and left as it is', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'data.mdb');
  const want = await fill(directory.path);
  const whole = await readFile(file);
  assert.ok(whole.length > 50 * pageBytes);
  const [older, newer] = whole.readBigUInt64LE(152) < whole.readBigUInt64LE(pageBytes + 152) ? [0, pageBytes] : [pageBytes, 0];
  const changed =
    (at: number, ...bytes: number[]) =>
    (copy: Buffer) =>
      copy.fill(Buffer.from(bytes), at, at + bytes.length);
  const rows: readonly { readonly name: string; readonly damage: (file: Buffer) => Buffer; readonly want: RegExp }[] = [
    { name: 'another file', damage: () => Buffer.from('hello\n'.repeat(5000)), want: /does not begin as a store does/ },
    { name: 'empty', damage: () => Buffer.alloc(0), want: /data\.mdb is empty, and it was a cluster's store$/ },
    { name: 'cut off', damage: (copy) => copy.subarray(0, 100), want: /torn off at its beginning/ },
    { name: 'zeroes', damage: (copy) => copy.fill(0, 0, 2 * pageBytes), want: /does not begin as a store does/ },
    { name: 'half a beginning', damage: (copy) => copy.fill(0xa5, pageBytes, 2 * pageBytes), want: /does not begin as a store does/ },
    { name: 'a size of pages of its own', damage: changed(newer + 49, 0x10), want: /does not begin as a store does/ },
    { name: 'a map too large for any machine', damage: changed(newer + 46, 0x10), want: /its beginning is damaged/ },
    { name: 'a last page beyond all', damage: changed(newer + 150, 1), want: /its beginning is damaged/ },
    { name: 'tables of another kind', damage: changed(older + 53, 1), want: /its beginning is damaged/ },
    { name: 'its main table elsewhere', damage: changed(newer + 136, 1), want: /page \d+ (is another one|can't be there)/ },
    { name: 'its main table longer', damage: changed(newer + 128, 99), want: /records are missing: a table has 5 of 99/ },
    { name: 'its main table deeper', damage: changed(newer + 102, 3), want: /page \d+ is damaged/ },
  ];
  for (const { name, damage, want: message } of rows) {
    const damaged = damage(Buffer.from(whole));
    await writeFile(file, damaged);
    await assert.rejects(open(directory.path), (error) => error instanceof StoreDamagedError && message.test(error.message), name);
    assert.deepEqual(await readFile(file), damaged, name);
  }
  await rm(file);
  await assert.rejects(open(directory.path), { message: `${file} is gone, and it was a cluster's store` });
  await writeFile(file, whole);
  await using store = await open(directory.path);
  assert.deepEqual(await list(store, ''), want);
});

it('a file that is cut off anywhere opens with all data or is refused', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'data.mdb');
  const want = await fill(directory.path);
  const whole = await readFile(file);
  const step = Math.ceil(whole.length / cutRounds);
  for (let bytes = 1; bytes < whole.length; bytes += step) {
    await writeFile(file, whole.subarray(0, bytes));
    try {
      await using store = await open(directory.path);
      assert.deepEqual(await list(store, ''), want, `${bytes} bytes`);
    } catch (error) {
      assert.ok(error instanceof StoreDamagedError, `${bytes} bytes: ${error}`);
    }
  }
});

it('a changed byte in what holds the tables together is never the end of the process', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'data.mdb');
  await fill(directory.path);
  const whole = await readFile(file);
  const random = seededRandom(7);
  for (let round = 0; round < flipRounds; round++) {
    const page = Math.floor(random.next() * (whole.length / pageBytes));
    const at = page * pageBytes + Math.floor(random.next() * (round % 2 === 0 ? 64 : 200));
    const copy = Buffer.from(whole);
    copy[at] = Math.floor(random.next() * 256);
    await writeFile(file, copy);
    try {
      await using store = await open(directory.path);
      await store.range({ prefix: '' });
    } catch (error) {
      assert.ok(error instanceof StoreDamagedError || error instanceof StoreUnavailableError, `round ${round}, byte ${at}: ${error}`);
    }
  }
});

it('its files are its owner’s alone, also those that were not', async () => {
  await using directory = await temporaryDirectory();
  for (const round of [1, 2]) {
    await using store = await open(directory.path);
    await committed(store, put('a', String(round)));
    for (const name of await readdir(directory.path)) {
      assert.equal((await stat(join(directory.path, name))).mode & 0o777, 0o600, name);
      await chmod(join(directory.path, name), 0o644);
    }
  }
});

/** Tables of several levels, values of several pages, and free pages. Gives what is in them. */
async function fill(path: string): Promise<string[]> {
  await using store = await openLmdbStore({ path, clock: realClock, log: silentLog, historyRevisions: 20 });
  for (let round = 0; round < 10; round++) {
    const values = Array.from({ length: 40 }, (_, i) => ({
      key: `k${(round * 37 + i * 7) % 400}`,
      bytes: i % 9 === 0 ? 20_000 : 300 + i * 40,
    }));
    await Promise.all(values.map(({ key, bytes }) => store.commit([put(key, String(round).padEnd(bytes, 'x'))])));
  }
  await store.compact((await store.latestRevision()) - 5);
  return list(store, '');
}

it('a path that can not be used is named', async () => {
  await assert.rejects(
    open('/dev/null/store'),
    (error) => error instanceof StoreUnavailableError && /\/dev\/null\/store/.test(error.message),
  );
});

it(`kill -9 in the middle of writes, ${killRounds} times: no acknowledged write is lost, revisions never go back`, async () => {
  await using directory = await temporaryDirectory();
  await using cache = await temporaryDirectory();
  let revision: Revision = 0;
  for (let round = 0; round < killRounds; round++) {
    const writers = 1 + (round % 16);
    let acknowledged: Map<string, { count: number; revision: Revision }>;
    {
      await using child = new WritingChild({ path: directory.path, writers, compileCache: cache.path });
      acknowledged = await child.acknowledged(1 + ((round * 37) % 200));
    }
    await using store = await open(directory.path);
    for (const [writer, last] of acknowledged) {
      revision = Math.max(revision, last.revision);
      const { items } = await store.range({ key: `a/${writer}` });
      const count = Number(text(items[0]?.value));
      assert(
        count === last.count || count === last.count + 1,
        `round ${round}: writer ${writer} wrote ${last.count} and ${count} is there`,
      );
    }
    const latest = await store.latestRevision();
    assert(latest >= revision, `round ${round}: revision ${revision} became ${latest}`);
    revision = latest;
    const items = (await store.range({ prefix: '' })).items.map((item) => [item.key, text(item.value)]);
    const half = items.length / 2;
    assert.deepEqual(
      items.slice(0, half).map(([key, value]) => [key?.slice(1), value]),
      items.slice(half).map(([key, value]) => [key?.slice(1), value]),
      'commits are whole',
    );
  }
});

it('a full disk fails writes, loses none, and is over when there is space again', async (t) => {
  if (process.platform !== 'linux') return t.skip('limits the size of files with prlimit');
  await using directory = await temporaryDirectory();
  await using child = new WritingChild({ path: directory.path, writers: 8, valueBytes: 2000, fileKilobytesMax: 600 });
  const before = await child.failed();
  assert(before.size > 0);
  execFileSync('prlimit', ['--fsize=unlimited', '--pid', `${child.pid}`]);
  const after = await child.acknowledged(200);
  for (const [writer, { count, revision }] of before) {
    const later = after.get(writer);
    assert(later && later.count > count && later.revision > revision);
  }
});

it('when others have filled the disk, the file’s reserve takes writes', async (t) => {
  if (process.platform !== 'linux') return t.skip('limits the size of files with prlimit');
  await using directory = await temporaryDirectory();
  const clock = new VirtualClock();
  await using store = await openLmdbStore({ path: directory.path, clock, log: silentLog, reserveBelowBytes: Number.POSITIVE_INFINITY });
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await committed(store, put(`k${i}`, 'x'.repeat(2000)));
  };
  await write(300);
  const { size } = await stat(join(directory.path, 'data.mdb'));
  const limit = (bytes: number | string): Buffer => execFileSync('prlimit', [`--fsize=${bytes}:`, '--pid', `${process.pid}`]);
  limit(size);
  try {
    await write(1000);
    await store.checkWritable();
  } finally {
    limit('unlimited');
  }
  assert.equal((await stat(join(directory.path, 'data.mdb'))).size, size);
});

it('the file does not grow under a controller that writes for ever', async () => {
  await using directory = await temporaryDirectory();
  const clock = new VirtualClock();
  await using store = await openLmdbStore({ path: directory.path, clock, log: silentLog, historyMs: 1_000, historyRevisions: 500 });
  const value = 'x'.repeat(1000);
  const write = async (updates: number): Promise<void> => {
    for (let at = 0; at < updates; at += 200) {
      await Promise.all(Array.from({ length: 200 }, (_, i) => store.commit([put(`k${(at + i) % 300}`, `${at + i} ${value}`)])));
      await clock.advance(100);
    }
  };
  await write(10_000);
  const early = await store.sizeBytes();
  await write(40_000);
  const late = await store.sizeBytes();
  assert.equal(await store.latestRevision(), 50_001);
  assert(store.compactedRevision > 40_000);
  assert(late <= early * 1.25, `${early} bytes became ${late}`);
  assert.equal((await list(store, '')).length, 300);
});

interface Acknowledged {
  readonly count: number;
  readonly revision: Revision;
}

/** The program, its last acknowledged write per writer, and its end by SIGKILL. */
class WritingChild {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #last = new Map<string, Acknowledged>();
  #count = 0;
  #failed: boolean = false;
  #waiting: { readonly until: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: { path: string; writers: number; valueBytes?: number; fileKilobytesMax?: number; compileCache?: string }) {
    const { path, writers, valueBytes = 100, fileKilobytesMax, compileCache } = options;
    const limit = fileKilobytesMax ? `ulimit -S -f ${fileKilobytesMax}; ` : '';
    const command = `${limit}exec "$0" "$@"`;
    // LMDB's binding prints failed writes; expected ones are not shown.
    const errors = fileKilobytesMax ? 'ignore' : 'inherit';
    const args = ['-c', command, process.execPath, childProgram, path, `${writers}`, `${valueBytes}`];
    this.#child = spawn('bash', args, {
      stdio: ['pipe', 'pipe', errors],
      env: { ...process.env, ...(compileCache !== undefined && { NODE_COMPILE_CACHE: compileCache }) },
    });
    this.#exited = once(this.#child, 'close');
    if (!this.#child.stdout) throw new Error('no standard output');
    createInterface(this.#child.stdout).on('line', (line) => this.#take(line));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits for so many more acknowledged writes. What is said until the end is in the map, too. */
  async acknowledged(count: number): Promise<Map<string, Acknowledged>> {
    const until = this.#count + count;
    await this.#until(() => this.#count >= until);
    return this.#last;
  }

  /** Waits for a write that fails: what had been acknowledged until then. */
  async failed(): Promise<Map<string, Acknowledged>> {
    await this.#until(() => this.#failed);
    return new Map(this.#last);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #until(condition: () => boolean): Promise<void> {
    const reached = new Promise<void>((resolve) => this.#waiting.push({ until: condition, resolve }));
    const ended = this.#exited.then(() => {
      throw new Error('the program ended by itself');
    });
    return Promise.race([reached, ended]);
  }

  #take(line: string): void {
    const [writer = '', count, revision] = line.split(' ');
    if (writer === 'failed') this.#failed = true;
    else if (writer !== 'opened' && revision !== undefined) {
      this.#count++;
      this.#last.set(writer, { count: Number(count), revision: Number(revision) });
    }
    this.#waiting = this.#waiting.filter((waiter) => {
      if (!waiter.until()) return true;
      waiter.resolve();
      return false;
    });
  }
}
