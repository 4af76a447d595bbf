/**
 * The store's contract, etcd's model: a flat key space, one revision for the whole store, history, compare-and-swap.
 * One suite (test/contract/storage.test.ts) runs on every implementation.
 *
 * Guarantees (of an etcd without the parts in brackets, see etcd/etcd-store.ts)
 * - Revisions grow by one with each commit that changes something; all ops of one commit share a revision.
 * - `commit` resolves when the write is durable. A revision is given [when a write is queued, so the next writer is
 *   checked against it,] and visible (to range and watch) only when it is durable.
 * - A watcher sees each event exactly once, in order, in one batch per revision or more [; the batch has been handed to
 *   every watcher's iterator before `commit` resolves].
 * - A put replaces both parts of what the key had: its value and its managed part. Of managed parts in one process, what is
 *   equal is the same in memory (managed-part.ts).
 * - After `compact(r)`, reads and watches of revisions below r fail with `CompactedError`.
 *
 * What it does not do: know what a Kubernetes object is.
 */

import type { ManagedPart } from './managed-part.ts';

export type Revision = number;

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** a second part beside the value, often the same for many keys */
  readonly managed?: ManagedPart | undefined;
  /** of the last change of this key */
  readonly revision: Revision;
  /** of the change that created it */
  readonly createRevision: Revision;
  readonly lease?: number | undefined;
  /** What the writer attached, when the value was written through this instance and is still known; never stored. */
  readonly attachment?: unknown;
}

export interface RangeQuery {
  /** exactly one of the two */
  readonly key?: string | undefined;
  readonly prefix?: string | undefined;
  /** keys greater than this one only: the next page */
  readonly startAfter?: string | undefined;
  /** 0: none */
  readonly limit?: number | undefined;
  /** the state as it was then; default: now */
  readonly atRevision?: Revision | undefined;
  readonly countOnly?: boolean | undefined;
}

export interface RangeResult {
  readonly items: readonly KeyValue[];
  /** the store's revision that the answer shows */
  readonly revision: Revision;
  /** how many keys match in all, this page and what is left from `startAfter` on */
  readonly count: number;
  readonly more: boolean;
}

export interface Op {
  readonly key: string;
  /** The key's revision that the writer saw, or that there was none. Absent: whatever it is. */
  readonly expect?: Revision | 'absent' | undefined;
  /** Nothing is done to the key: it only has to be as expected. */
  readonly isCheck?: boolean | undefined;
  /** absent: delete */
  readonly put?: Uint8Array | undefined;
  /** with `put`; absent: the key has none from now on */
  readonly managed?: ManagedPart | undefined;
  /** carried to KeyValue.attachment and events in this process */
  readonly attachment?: unknown;
  /** the lease whose end deletes the key */
  readonly lease?: number | undefined;
}

export type CommitResult =
  | { readonly ok: true; readonly revision: Revision }
  /** Nothing was written: `key` has this revision, durable or about to be (0: it does not exist). */
  | { readonly ok: false; readonly key: string; readonly actual: Revision };

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: Revision;
  /** the new value; for a delete, absent */
  readonly current?: KeyValue | undefined;
  /** what it was before; absent for a new key, and once that has been compacted */
  readonly previous?: KeyValue | undefined;
}

/** The events of one or more whole revisions, in order. Empty: progress, nothing up to `revision` is missing. */
export interface StoreEvents {
  readonly revision: Revision;
  readonly events: readonly StoreEvent[];
}

export interface Storage extends AsyncDisposable {
  /** The last durable revision, of whichever process wrote it: known here, or it has to be asked for (etcd). */
  latestRevision(): Revision | Promise<Revision>;
  /** the oldest revision that can still be read */
  readonly compactedRevision: Revision;
  range(query: RangeQuery): Promise<RangeResult>;
  /**
   * `queued` is told the revision as soon as it is given, so that the next write can expect it: a store that does not
   * know it before the write is durable tells it then. It is not called for what is not written.
   */
  commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult>;
  /** Events with a revision greater than `from.revision`. Ends when the signal aborts or the store closes. */
  watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents>;
  /** Watchers whose keys did not change are told soon how far they have seen, instead of now and then. */
  requestProgress(): void;
  compact(revision: Revision): Promise<void>;
  /** A lease ends `ttlSeconds` after its grant or last renewal, and its keys with it. */
  grantLease(ttlSeconds: number): Promise<number>;
  renewLease(lease: number): Promise<void>;
  revokeLease(lease: number): Promise<void>;
  /** Rejects when nothing can be written: tries a tiny durable write that changes nothing, unless one has just succeeded. */
  checkWritable(): Promise<void>;
  /** bytes on disk (or held in memory) */
  sizeBytes(): Promise<number>;
}

/** The revision asked for is gone, or not yet there. */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly code = 'compacted';
}
export class FutureRevisionError extends Error {
  override readonly name = 'FutureRevisionError';
  readonly code = 'future-revision';
}
/** The lease was never granted, or has ended. Nothing was written. */
export class LeaseNotFoundError extends Error {
  override readonly name = 'LeaseNotFoundError';
  readonly code = 'lease-not-found';
}
/** The store can't write: disk full, away, or closed. Nothing of the commit is visible; or, of an etcd, that is not known, and the words say so. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
  readonly code: string = 'store-unavailable';
}
/** A later program wrote it, in a form that this one can't read. It is left as it is. */
export class StoreTooNewError extends StoreUnavailableError {
  override readonly name = 'StoreTooNewError';
  override readonly code = 'store-too-new';
}
/** What is on the disk is not what was written. It is left as it is. */
export class StoreDamagedError extends StoreUnavailableError {
  override readonly name = 'StoreDamagedError';
  override readonly code = 'store-damaged';
}
