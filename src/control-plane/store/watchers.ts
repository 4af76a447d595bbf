/**
 * Fan-out of events to watchers. A watcher has no buffer, only the revision up to which it has seen everything: one
 * that waits is handed a batch the moment it is published; one that is behind reads from recent history, then from the
 * tables, and gets `CompactedError` when it is too far behind for either. So a slow reader costs nothing but its place.
 *
 * Watchers whose prefix nothing happens to are told of progress now and then, on one timer for all that is set only
 * when there is progress to tell.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import type { Revision, StoreEvent, StoreEvents } from './storage.ts';

/** Where a watcher that is behind reads: events after a revision, up to the one that the answer names. */
export type ReadHistory = (after: Revision, prefix: string) => StoreEvents;

interface Waiter {
  resolve(result: IteratorResult<StoreEvents>): void;
}

const end: IteratorResult<StoreEvents> = { done: true, value: undefined };

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #clock: Clock;
  readonly #progressMs: number;
  readonly #readHistory: ReadHistory;
  #revision: Revision;
  #timer: Timer | undefined;
  #closed: boolean = false;

  constructor(options: { clock: Clock; progressMs: number; revision: Revision; readHistory: ReadHistory }) {
    this.#clock = options.clock;
    this.#progressMs = options.progressMs;
    this.#revision = options.revision;
    this.#readHistory = options.readHistory;
  }

  watch(from: { prefix: string; revision: Revision }, signal: AbortSignal): AsyncIterableIterator<StoreEvents> {
    const watcher = new Watcher({
      ...from,
      read: this.#readHistory,
      upTo: () => this.#revision,
      closed: () => this.#watchers.delete(watcher),
    });
    if (this.#closed || signal.aborted) {
      watcher.end();
      return watcher;
    }
    this.#watchers.add(watcher);
    watcher.endWith(signal);
    return watcher;
  }

  /** Hands events to whoever waits for them. */
  publish(events: readonly StoreEvent[], revision: Revision): void {
    this.#revision = revision;
    let skipped = false;
    for (const watcher of this.#watchers) skipped = watcher.offer(events, revision) || skipped;
    if (skipped && !this.#timer) this.#timer = this.#clock.setTimeout(() => this.tellProgress(), this.#progressMs);
  }

  /** Now, not at the next tick of the timer. */
  tellProgress(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const watcher of this.#watchers) watcher.tellProgress();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const watcher of [...this.#watchers]) watcher.end();
  }
}

interface WatcherOptions {
  readonly prefix: string;
  readonly revision: Revision;
  read: ReadHistory;
  upTo(): Revision;
  closed(): void;
}

class Watcher implements AsyncIterableIterator<StoreEvents> {
  readonly #options: WatcherOptions;
  readonly #prefix: string;
  /** has seen everything up to here */
  #seen: Revision;
  /** what the reader was last told */
  #told: Revision;
  #waiters: Waiter[] = [];
  #ended: boolean = false;
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.end();

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#prefix = options.prefix;
    this.#seen = options.revision;
    this.#told = options.revision;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<StoreEvents>> {
    if (this.#ended) return Promise.resolve(end);
    if (this.#seen !== this.#options.upTo()) {
      try {
        const batch = this.#options.read(this.#seen, this.#prefix);
        this.#seen = batch.revision;
        this.#told = batch.revision;
        return Promise.resolve({ done: false, value: batch });
      } catch (error) {
        this.end();
        return Promise.reject(error);
      }
    }
    return new Promise((resolve) => this.#waiters.push({ resolve }));
  }

  return(): Promise<IteratorResult<StoreEvents>> {
    this.end();
    return Promise.resolve(end);
  }

  endWith(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** True: it waits for something else, and has not been told of this revision. */
  offer(events: readonly StoreEvent[], revision: Revision): boolean {
    if (this.#waiters.length === 0) return false;
    this.#seen = revision;
    const matching = events.filter((event) => event.key.startsWith(this.#prefix));
    if (matching.length > 0) this.#tell(matching);
    return matching.length === 0;
  }

  tellProgress(): void {
    if (this.#waiters.length > 0 && this.#told < this.#seen) this.#tell([]);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#options.closed();
    for (const waiter of this.#waiters) waiter.resolve(end);
    this.#waiters = [];
  }

  #tell(events: readonly StoreEvent[]): void {
    this.#told = this.#seen;
    this.#waiters.shift()?.resolve({ done: false, value: { revision: this.#seen, events } });
  }
}
