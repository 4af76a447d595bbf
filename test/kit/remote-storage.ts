/**
 * A store as a second process would see it: what was written arrives on watches only while they are let through, the
 * revision may have to be asked for, and nothing is handed over but bytes.
 */
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

export interface RemoteStorageOptions {
  /** the revision has to be asked for */
  readonly asks: boolean;
}

export class RemoteStorage extends ForwardedStorage {
  readonly #asks: boolean;
  #gate: PromiseWithResolvers<void> | undefined;
  #connection = new AbortController();
  /** while it is set, nobody is told the revision */
  isSilent: boolean = false;

  /** The store remains the caller's. */
  constructor(store: Storage, { asks }: RemoteStorageOptions) {
    super(store);
    this.#asks = asks;
  }

  /** From now on no event arrives. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** All that was held back arrives. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** All watches that there are fail. */
  disconnect(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
  }

  override latestRevision(): Revision | Promise<Revision> {
    if (!this.#asks) return this.store.latestRevision();
    if (this.isSilent) return new Promise(() => undefined);
    return new Promise((resolve) => setImmediate(resolve)).then(() => this.store.latestRevision());
  }

  override async range(query: RangeQuery): Promise<RangeResult> {
    const result = await this.store.range(query);
    return { ...result, items: result.items.map(bytesOnly) };
  }

  /** A store that has to be asked knows the revision only afterwards, as etcd does. */
  override async commit(ops: readonly Op[], queued?: (revision: Revision) => void): Promise<CommitResult> {
    if (!this.#asks) return this.store.commit(ops, queued);
    const result = await this.store.commit(ops);
    if (result.ok) queued?.(result.revision);
    return result;
  }

  override async *watch(from: { readonly prefix: string; readonly revision: Revision }, signal: AbortSignal): AsyncIterable<StoreEvents> {
    const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    const connection = this.#connection.signal;
    for await (const batch of this.store.watch(from, AbortSignal.any([signal, connection]))) {
      while (this.#gate && !signal.aborted) await Promise.race([this.#gate.promise, stopped]);
      yield {
        ...batch,
        events: batch.events.map(({ current, previous, ...event }) => ({
          ...event,
          current: current && bytesOnly(current),
          previous: previous && bytesOnly(previous),
        })),
      };
    }
    if (connection.aborted) throw new Error('the connection to the store is lost');
  }

  override async [Symbol.asyncDispose](): Promise<void> {}
}

function bytesOnly({ attachment, ...item }: KeyValue): KeyValue {
  return item;
}
