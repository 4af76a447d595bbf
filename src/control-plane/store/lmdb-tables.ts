/**
 * The store's tables in one LMDB environment: `data.mdb` in a directory of its own.
 *
 * A batch is one LMDB transaction, synced before `write` resolves; LMDB's two alternating meta pages make it whole or
 * absent after a crash. Writing and syncing happen on LMDB's own thread; reads are synchronous, from the memory map.
 * One process at a time has the directory (store-owner.ts). A store says its format (ADR 33): earlier ones are taken over,
 * a later one is refused before anything of it is changed.
 * When the disk gets short, the file has empty pages in reserve at its end, which nobody else can take: when others have
 * filled the disk, what makes room again can still be written (ADR 20).
 *
 * Databases: `log` position → change with value, `heads` key → newest position, `leases`, `leaseKeys`, `meta`.
 */

import assert from 'node:assert/strict';
import { mkdir, open as openFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { messageOf } from '../../api/meta/status-error.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { realClock } from '../../client/clock.ts';
import { diskRoomBytes, diskRoomBytesMin } from './disk-room.ts';
import { decodeEntry, decodeHead, decodeLease, encodeEntries, encodeHeads, encodeLease, RecordSpace } from './lmdb-records.ts';
import { StoreDamagedError, StoreTooNewError, StoreUnavailableError } from './storage.ts';
import { checkStoreFile, fileName, makePrivate, mapBytes, markUsed, pageBytes } from './store-file.ts';
import { claimStore, releaseStore, type StoreOwner } from './store-owner.ts';
import {
  type Head,
  type LeaseRecord,
  type LogEntry,
  type Position,
  revisionOf,
  type Tables,
  type TablesState,
  type WriteBatch,
} from './tables.ts';

/**
 * Written into every store. Format 1 had entries without check sums, format 2 without managed parts. All of them stay as
 * they are and are read by what each says of itself (lmdb-records.ts); taking a store over is writing this number.
 */
const formatVersion = 3;
const databasesMax = 8;
/** What the file keeps at its end, filled up when half of it is used; looked at whenever so much was written, or so long ago. */
const reserveBytes = 8 * 2 ** 20;
const reserveLookBytes = 512 * 1024;
const reserveLookMs = 1000;
/** With more room than this on the disk no reserve is kept: it would double what is written. More than when pods are evicted. */
const plentyBytes = 2 * 2 ** 30;
/** a lease's key holds nothing */
const present = Buffer.from([1]);

type Bytes<K extends string | number | (string | number)[]> = Database<Buffer, K>;

/** Positions only grow, so an entry goes to the end without a search, and pages are filled to the brim. */
type Log = Bytes<number> & { put(position: number, record: Buffer, options: { append: true }): Promise<boolean> };

interface Databases {
  readonly root: RootDatabase<Buffer, string>;
  readonly log: Log;
  readonly heads: Bytes<string>;
  readonly leases: Bytes<number>;
  readonly leaseKeys: Bytes<(string | number)[]>;
  readonly meta: Bytes<string>;
}

export class LmdbTables implements Tables {
  readonly state: TablesState | undefined;
  readonly leases: readonly LeaseRecord[];
  readonly #path: string;
  readonly #reserveBelowBytes: number;
  readonly #owner: StoreOwner;
  readonly #databases: Databases;
  readonly #space = new RecordSpace();
  #writtenSinceLook = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    { path, reserveBelowBytes }: { readonly path: string; readonly reserveBelowBytes: number },
    owner: StoreOwner,
    databases: Databases,
  ) {
    this.#path = path;
    this.#reserveBelowBytes = reserveBelowBytes;
    this.#owner = owner;
    this.#databases = databases;
    this.state = readState(databases, path);
    this.leases = [...databases.leases.getRange()].map(({ key, value }) => decodeLease(key, value));
  }

  /** Throws `StoreUnavailableError` when another process has the directory, or when it can't be used; `StoreDamagedError`. */
  static async open(path: string, reserveBelowBytes = plentyBytes): Promise<LmdbTables> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      checkStoreFile(path, 'all of it');
      makePrivate(path);
      const databases = await openDatabases(path);
      try {
        const owner = takeOver(databases.meta, path);
        try {
          const tables = new LmdbTables({ path, reserveBelowBytes }, owner, databases);
          markUsed(path);
          await syncDirectory(path);
          return tables;
        } catch (error) {
          releaseStore(databases.meta, owner);
          throw error;
        }
      } catch (error) {
        await databases.root.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      throw new StoreUnavailableError(`the store in ${path} can't be opened: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  head(key: string): Head | undefined {
    const record = this.#databases.heads.getBinaryFast(key);
    return record && decodeHead(record);
  }

  *heads(prefix: string, startAfter: string | undefined): Iterable<readonly [string, Head]> {
    const after = startAfter !== undefined && startAfter >= prefix;
    const start = after ? startAfter : prefix;
    const range = this.#databases.heads.getRange({ ...(start !== '' && { start }), ...(after && { exclusiveStart: true }) });
    for (const { key, value } of range) {
      if (!key.startsWith(prefix)) return;
      yield [key, decodeHead(value)];
    }
  }

  entry(position: Position): LogEntry | undefined {
    const record = this.#databases.log.getBinaryFast(position);
    return record && decodeEntry(position, record);
  }

  *log(start: Position, wanted: (key: string) => boolean): Iterable<LogEntry> {
    for (const { key, value } of this.#databases.log.getRange({ start })) yield decodeEntry(key, value, wanted);
  }

  leaseKeys(lease: number, startAfter: string | undefined, limit: number): string[] {
    const start = startAfter === undefined ? [lease] : [lease, startAfter];
    const range = this.#databases.leaseKeys.getKeys({ start, end: [lease + 1], exclusiveStart: startAfter !== undefined, limit });
    return Array.from(range, ([, key]) => String(key));
  }

  /** Commits of one turn of the event loop go together; so do those whose answers were sent in the same turn. */
  gather(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  async write(batch: WriteBatch): Promise<void> {
    const values = encodeEntries(batch.entries, this.#space);
    for (const value of values) this.#writtenSinceLook += value.length;
    if (this.#writtenSinceLook >= reserveLookBytes || realClock.monotonic() - this.#lookedAtMs >= reserveLookMs) {
      this.#writtenSinceLook = 0;
      this.#lookedAtMs = realClock.monotonic();
      if (await this.#isDiskShort()) await this.#fillReserve();
    }
    const heads = encodeHeads(batch.entries);
    const endedKeys = batch.endedLeases.flatMap((lease) =>
      Array.from(this.#databases.leaseKeys.getKeys({ start: [lease], end: [lease + 1] })),
    );
    const { root, log, heads: headsOf, leases, leaseKeys, meta } = this.#databases;
    /** The binding answers these one by one: false for a position that is not after all others. */
    const appended: Promise<boolean>[] = [];
    /** These fail with the batch. */
    const others: Promise<boolean>[] = [];
    let written: boolean[];
    try {
      const batched = root.batch(() => {
        for (const key of batch.droppedHeads) others.push(headsOf.remove(key));
        for (const [index, entry] of batch.entries.entries()) {
          appended.push(log.put(entry.position, values[index] as Buffer, { append: true }));
          others.push(headsOf.put(entry.key, heads[index] as Buffer));
          if (entry.lease > 0) others.push(leaseKeys.put([entry.lease, entry.key], present));
        }
        for (const position of batch.droppedEntries) others.push(log.remove(position));
        for (const lease of batch.leases) others.push(leases.put(lease.id, encodeLease(lease)));
        for (const lease of batch.endedLeases) others.push(leases.remove(lease));
        for (const key of endedKeys) others.push(leaseKeys.remove(key));
        others.push(meta.put('state', Buffer.from(JSON.stringify(batch.state))));
      });
      [written] = await Promise.all([Promise.all(appended), Promise.all(others), batched]);
    } catch (error) {
      throw await commitError(error, this.#path);
    }
    assert(!written.includes(false), 'a position was written twice');
  }

  async sizeBytes(): Promise<number> {
    return (await stat(join(this.#path, fileName))).size;
  }

  async #isDiskShort(): Promise<boolean> {
    const { bsize, bavail } = await statfs(this.#path);
    return bsize * bavail < this.#reserveBelowBytes;
  }

  /** Between batches: the pages belong to nobody else then. A full disk gives what it has; the next time asks again. */
  async #fillReserve(): Promise<void> {
    const { fileBytes, endBytes } = await this.#readFile();
    if (fileBytes - endBytes >= reserveBytes / 2) return;
    await using file = await openFile(join(this.#path, fileName), 'r+');
    await file.write(Buffer.alloc(endBytes + reserveBytes - fileBytes), { position: fileBytes }).catch(() => undefined);
  }

  /** How long it is, and where what LMDB has used of it ends. */
  async #readFile(): Promise<{ readonly fileBytes: number; readonly endBytes: number }> {
    const { lastPageNumber } = this.#databases.root.getStats() as { readonly lastPageNumber: number };
    return { fileBytes: await this.sizeBytes(), endBytes: (lastPageNumber + 1) * pageBytes };
  }

  /** A full disk is told while the file still takes writes: its free pages and its reserve are for what makes room. */
  async checkRoom(): Promise<void> {
    const roomBytes = diskRoomBytes(this.#path);
    if (roomBytes < diskRoomBytesMin) throw new StoreUnavailableError(`the disk of ${this.#path} has ${roomBytes} bytes left`);
  }

  async close(): Promise<void> {
    try {
      releaseStore(this.#databases.meta, this.#owner);
    } finally {
      await this.#databases.root.close();
    }
  }
}

async function openDatabases(path: string): Promise<Databases> {
  const { open } = await import('lmdb');
  const root = open<Buffer, string>({
    path,
    noSubdir: false,
    encoding: 'binary',
    pageSize: pageBytes,
    maxDbs: databasesMax,
    // The engine gathers writes itself and has one batch under way; each is synced before it counts as committed.
    eventTurnBatching: false,
    overlappingSync: false,
    mapSize: mapBytes,
  });
  const database = <K extends string | number | (string | number)[]>(name: string): Bytes<K> =>
    root.openDB<Buffer, K>({ name, encoding: 'binary' });
  return {
    root,
    log: database<number>('log') as Log,
    heads: database('heads'),
    leases: database('leases'),
    leaseKeys: database('leaseKeys'),
    meta: database('meta'),
  };
}

/** Whose it is and what format it has from now on are one transaction: after a crash it is the old store or the new one. */
function takeOver(meta: Databases['meta'], path: string): StoreOwner {
  return meta.transactionSync(() => {
    const record = meta.get('format');
    const format = record && Number(record.toString());
    if (format !== undefined) checkFormat(path, format);
    const owner = claimStore(meta, path);
    if (format !== formatVersion) meta.putSync('format', Buffer.from(String(formatVersion)));
    return owner;
  });
}

function checkFormat(path: string, format: number): void {
  if (!Number.isInteger(format) || format < 1) throw new StoreDamagedError(`the store in ${path} is damaged: its format is no number`);
  if (format > formatVersion)
    throw new StoreTooNewError(`the store in ${path} has format ${format}, this timonier reads up to format ${formatVersion}`);
}

function readState({ meta, log }: Databases, path: string): TablesState | undefined {
  const record = meta.get('state');
  const state = record && (parseJSON(record.toString()) as TablesState);
  // Both were always written together.
  for (const position of log.getKeys({ reverse: true, limit: 1 })) {
    if (revisionOf(position) > (state?.revision ?? 0))
      throw new StoreDamagedError(`the store in ${path} is damaged: its log goes on after its end`);
  }
  return state;
}

/** What LMDB says is in a promise that hangs on what its binding says. */
async function commitError(error: unknown, path: string): Promise<Error> {
  const said = error instanceof Error && 'commitError' in error ? error.commitError : undefined;
  const cause = await Promise.resolve(said).then(
    () => error,
    (reason: unknown) => reason,
  );
  return new Error(`${messageOf(cause)} (${path}; is the disk full?)`, { cause });
}

/** So that the file itself is still there after a power failure. */
async function syncDirectory(path: string): Promise<void> {
  await using directory = await openFile(path, 'r');
  await directory.sync();
}
