/**
 * The seam between the store's one engine (engine.ts) and where its data lies: memory (memory-tables.ts) or LMDB
 * (lmdb-tables.ts).
 *
 * Two ordered tables hold everything. The log has one entry per change, at a position that grows for ever; an entry
 * points back to the one before it of the same key. The heads have, per key, the position of its newest entry. A read
 * "as it was then" walks back from the head. Compaction deletes what a newer, old enough entry points back to.
 *
 * Guarantees asked of an implementation: a batch is written as a whole or not at all, and is durable when `write`
 * settles; reads are synchronous and see at least every batch that was written. They may see a batch that is still
 * being written: the engine asks by revision and knows which are visible.
 */
import { opsPerCommitMax } from './check-ops.ts';
import type { ManagedPart } from './managed-part.ts';
import type { Revision } from './storage.ts';

/** `revision * opsPerCommitMax + index in the commit`: one number orders all changes. Exact up to 2^43 revisions. */
export type Position = number;

export function positionOf(revision: Revision, index: number): Position {
  return revision * opsPerCommitMax + index;
}
export function revisionOf(position: Position): Revision {
  return Math.floor(position / opsPerCommitMax);
}

/** What the heads know of a key. */
export interface Head {
  readonly position: Position;
  readonly createRevision: Revision;
  /** 0: none */
  readonly lease: number;
  /** the newest change deleted the key */
  readonly deleted: boolean;
}

/** One change of one key. */
export interface LogEntry extends Head {
  readonly key: string;
  /** the key's entry before this one; 0: there was none */
  readonly previous: Position;
  /** absent: deleted */
  readonly value: Uint8Array | undefined;
  /** beside a value; absent: there is none */
  readonly managed: ManagedPart | undefined;
}

export interface LeaseRecord {
  readonly id: number;
  readonly ttlMs: number;
  /** wall time, so that a lease goes on ageing while nobody runs */
  readonly expiresAtMs: number;
}

/** Everything that becomes durable together. */
export interface WriteBatch {
  /** Written though nothing changes: somebody asks whether that is possible. */
  isProbe: boolean;
  /** new entries, in order; each becomes its key's head */
  entries: LogEntry[];
  /** positions to forget */
  droppedEntries: Position[];
  /** keys whose head is to be forgotten: deleted, and nothing of them is left */
  droppedHeads: string[];
  /** granted or renewed */
  leases: LeaseRecord[];
  endedLeases: number[];
  state: TablesState;
}

export interface TablesState {
  /** the last revision given */
  revision: Revision;
  /** reads below it are refused */
  compacted: Revision;
  /** up to here the log has been swept; behind `compacted` while a compaction is under way */
  swept: Revision;
  /** the last lease id given */
  lastLease: number;
}

export interface Tables {
  /** undefined: a new store */
  readonly state: TablesState | undefined;
  /** the leases at the time of opening */
  readonly leases: readonly LeaseRecord[];
  head(key: string): Head | undefined;
  /** Heads in the order of their keys, of deleted ones too, of keys that start with `prefix` and follow `startAfter`. */
  heads(prefix: string, startAfter: string | undefined): Iterable<readonly [key: string, head: Head]>;
  entry(position: Position): LogEntry | undefined;
  /** Entries from `start` on, in order. The value is left out of those that `wanted` does not want. */
  log(start: Position, wanted: (key: string) => boolean): Iterable<LogEntry>;
  /** Some keys that were once written with the lease; perhaps not any more. */
  leaseKeys(lease: number, startAfter: string | undefined, limit: number): string[];
  /** Waits, for a moment at most, until the writes of the moment have come together. */
  gather(): Promise<void>;
  /** Rejects (or throws) when nothing was written. Never called again before it has settled. */
  write(batch: WriteBatch): Promise<void> | undefined;
  sizeBytes(): Promise<number>;
  /** Rejects when what `write` needs soon is not there: room on the disk. */
  checkRoom(): Promise<void>;
  close(): Promise<void>;
}
