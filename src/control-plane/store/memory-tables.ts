/** The store's tables in memory: nothing outlives the process. Values are kept as given, not copied. */

import { setImmediate as turn } from 'node:timers/promises';
import { OrderedMap } from './ordered-map.ts';
import type { Head, LeaseRecord, LogEntry, Position, Tables, TablesState, WriteBatch } from './tables.ts';

/** A guess at what an entry costs besides its value: its object and its places in the maps. */
const entryOverheadBytes = 200;
const batchesPerTurnMax = 250;

export class MemoryTables implements Tables {
  readonly state: TablesState | undefined = undefined;
  readonly leases: readonly LeaseRecord[] = [];
  readonly #heads = new OrderedMap<string, LogEntry>();
  readonly #log = new OrderedMap<Position, LogEntry>();
  /** keys that were once written with a lease */
  readonly #leaseKeys = new Map<number, OrderedMap<string, true>>();
  #bytes = 0;
  /** batches since the event loop has last turned */
  #batches = 0;

  head(key: string): Head | undefined {
    return this.#heads.get(key);
  }

  *heads(prefix: string, startAfter: string | undefined): Iterable<readonly [string, Head]> {
    const start = startAfter !== undefined && startAfter > prefix ? startAfter : prefix;
    for (const pair of this.#heads.from(start)) {
      if (!pair[0].startsWith(prefix)) return;
      if (pair[0] !== startAfter) yield pair;
    }
  }

  entry(position: Position): LogEntry | undefined {
    return this.#log.get(position);
  }

  *log(start: Position): Iterable<LogEntry> {
    for (const [, entry] of this.#log.from(start)) yield entry;
  }

  leaseKeys(lease: number, startAfter: string | undefined, limit: number): string[] {
    const keys: string[] = [];
    for (const [key] of this.#leaseKeys.get(lease)?.from(startAfter ?? '') ?? []) {
      if (key === startAfter) continue;
      keys.push(key);
      if (keys.length >= limit) break;
    }
    return keys;
  }

  gather(): Promise<void> {
    return Promise.resolve();
  }

  write(batch: WriteBatch): Promise<void> | undefined {
    for (const key of batch.droppedHeads) this.#heads.delete(key);
    for (const entry of batch.entries) this.#put(entry);
    for (const position of batch.droppedEntries) {
      const entry = this.#log.get(position);
      if (!entry) continue;
      this.#log.delete(position);
      this.#bytes -= sizeOf(entry);
    }
    for (const lease of batch.endedLeases) this.#leaseKeys.delete(lease);
    return this.#pause();
  }

  /** Writers that follow on each other for ever leave turns to the rest of the process. */
  #pause(): Promise<void> | undefined {
    if (this.#batches === 0)
      setImmediate(() => {
        this.#batches = 0;
      });
    return ++this.#batches > batchesPerTurnMax ? turn() : undefined;
  }

  async checkRoom(): Promise<void> {}

  sizeBytes(): Promise<number> {
    return Promise.resolve(this.#bytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #put(entry: LogEntry): void {
    this.#log.set(entry.position, entry);
    this.#heads.set(entry.key, entry);
    this.#bytes += sizeOf(entry);
    if (entry.lease === 0) return;
    const keys = this.#leaseKeys.get(entry.lease) ?? new OrderedMap<string, true>();
    keys.set(entry.key, true);
    this.#leaseKeys.set(entry.lease, keys);
  }
}

function sizeOf(entry: LogEntry): number {
  return entryOverheadBytes + entry.key.length + (entry.value?.byteLength ?? 0) + (entry.managed?.byteLength ?? 0);
}
