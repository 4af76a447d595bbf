/** A store that asks another for everything: what is to be otherwise is overridden. */
import type { CommitResult, Op, RangeQuery, RangeResult, Revision, Storage, StoreEvents } from '../../src/control-plane/store/storage.ts';

export class ForwardedStorage implements Storage {
  protected readonly store: Storage;

  constructor(store: Storage) {
    this.store = store;
  }

  latestRevision(): Revision | Promise<Revision> {
    return this.store.latestRevision();
  }
  get compactedRevision(): Revision {
    return this.store.compactedRevision;
  }
  range(query: RangeQuery): Promise<RangeResult> {
    return this.store.range(query);
  }
  commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    return this.store.commit(ops, queued);
  }
  watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents> {
    return this.store.watch(from, signal);
  }
  requestProgress(): void {
    this.store.requestProgress();
  }
  compact(revision: Revision): Promise<void> {
    return this.store.compact(revision);
  }
  grantLease(ttlSeconds: number): Promise<number> {
    return this.store.grantLease(ttlSeconds);
  }
  renewLease(lease: number): Promise<void> {
    return this.store.renewLease(lease);
  }
  revokeLease(lease: number): Promise<void> {
    return this.store.revokeLease(lease);
  }
  checkWritable(): Promise<void> {
    return this.store.checkWritable();
  }
  sizeBytes(): Promise<number> {
    return this.store.sizeBytes();
  }
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.store[Symbol.asyncDispose]();
  }
}
