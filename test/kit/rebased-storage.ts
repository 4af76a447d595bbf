/** A part of a larger store as a new one: it is empty, and its revision is 1. What it counts on: nobody else writes there. */
import type {
  CommitResult,
  KeyValue,
  Op,
  RangeQuery,
  RangeResult,
  Revision,
  Storage,
  StoreEvents,
} from '../../src/control-plane/store/storage.ts';

export class RebasedStorage implements Storage {
  readonly #store: Storage;
  /** what is revision 0 here */
  readonly #base: Revision;

  /** The store is closed with this one. `begins`: the store's revision that is 1 here. */
  constructor(store: Storage, begins: Revision) {
    this.#store = store;
    this.#base = begins - 1;
  }

  async latestRevision(): Promise<Revision> {
    return (await this.#store.latestRevision()) - this.#base;
  }
  get compactedRevision(): Revision {
    return Math.max(1, this.#store.compactedRevision - this.#base);
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    const { atRevision } = query;
    const result = await this.#store.range({ ...query, atRevision: atRevision && atRevision + this.#base });
    return { ...result, revision: result.revision - this.#base, items: result.items.map((item) => this.#itemOf(item)) };
  }

  async commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    const based = ops.map((op) => ({ ...op, expect: typeof op.expect === 'number' ? op.expect + this.#base : op.expect }));
    const result = await this.#store.commit(based, (revision) => queued?.(revision - this.#base));
    if (result.ok) return { ok: true, revision: result.revision - this.#base };
    return { ok: false, key: result.key, actual: result.actual && result.actual - this.#base };
  }

  async *watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents> {
    for await (const { revision, events } of this.#store.watch({ ...from, revision: from.revision + this.#base }, signal)) {
      yield {
        revision: revision - this.#base,
        events: events.map((event) => ({
          ...event,
          revision: event.revision - this.#base,
          current: event.current && this.#itemOf(event.current),
          previous: event.previous && this.#itemOf(event.previous),
        })),
      };
    }
  }

  requestProgress(): void {
    this.#store.requestProgress();
  }
  compact(revision: Revision): Promise<void> {
    return this.#store.compact(revision + this.#base);
  }
  grantLease(ttlSeconds: number): Promise<number> {
    return this.#store.grantLease(ttlSeconds);
  }
  renewLease(lease: number): Promise<void> {
    return this.#store.renewLease(lease);
  }
  revokeLease(lease: number): Promise<void> {
    return this.#store.revokeLease(lease);
  }
  checkWritable(): Promise<void> {
    return this.#store.checkWritable();
  }
  sizeBytes(): Promise<number> {
    return this.#store.sizeBytes();
  }
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }

  #itemOf(item: KeyValue): KeyValue {
    return { ...item, revision: item.revision - this.#base, createRevision: Math.max(0, item.createRevision - this.#base) };
  }
}
