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
import { ForwardedStorage } from './forwarded-storage.ts';

export class RebasedStorage extends ForwardedStorage {
  /** what is revision 0 here */
  readonly #base: Revision;

  /** The store is closed with this one. `begins`: the store's revision that is 1 here. */
  constructor(store: Storage, begins: Revision) {
    super(store);
    this.#base = begins - 1;
  }

  override async latestRevision(): Promise<Revision> {
    return (await this.store.latestRevision()) - this.#base;
  }
  override get compactedRevision(): Revision {
    return Math.max(1, this.store.compactedRevision - this.#base);
  }

  override async range(query: RangeQuery): Promise<RangeResult> {
    const { atRevision } = query;
    const result = await this.store.range({ ...query, atRevision: atRevision && atRevision + this.#base });
    return { ...result, revision: result.revision - this.#base, items: result.items.map((item) => this.#itemOf(item)) };
  }

  override async commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    const based = ops.map((op) => ({ ...op, expect: typeof op.expect === 'number' ? op.expect + this.#base : op.expect }));
    const result = await this.store.commit(based, (revision) => queued?.(revision - this.#base));
    if (result.ok) return { ok: true, revision: result.revision - this.#base };
    return { ok: false, key: result.key, actual: result.actual && result.actual - this.#base };
  }

  override async *watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents> {
    for await (const { revision, events } of this.store.watch({ ...from, revision: from.revision + this.#base }, signal)) {
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

  override compact(revision: Revision): Promise<void> {
    return this.store.compact(revision + this.#base);
  }

  #itemOf(item: KeyValue): KeyValue {
    return { ...item, revision: item.revision - this.#base, createRevision: Math.max(0, item.createRevision - this.#base) };
  }
}
