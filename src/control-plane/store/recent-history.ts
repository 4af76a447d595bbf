/**
 * The last events in memory: what a watcher that is a little behind gets, and the newest version of the keys they are
 * about, with what the writer attached. Bounded in revisions and bytes; whole revisions are dropped, oldest first.
 * Older history is in the tables.
 */
import type { KeyValue, Revision, StoreEvent } from './storage.ts';
import type { LogEntry } from './tables.ts';

/** An entry and what readers see of it; a deletion has nothing to see. */
export interface Version {
  readonly entry: LogEntry;
  readonly current: KeyValue | undefined;
}

/** One change as it goes through the store. */
export interface Change extends Version {
  readonly event: StoreEvent;
}

export class RecentHistory {
  readonly #revisionsMax: number;
  readonly #bytesMax: number;
  #changes: Change[] = [];
  /** the first one still there */
  #start = 0;
  #bytes = 0;
  /** Everything after this revision is here. */
  #after: Revision;
  readonly #newest = new Map<string, Change>();

  constructor(options: { revision: Revision; revisionsMax: number; bytesMax: number }) {
    this.#after = options.revision;
    this.#revisionsMax = options.revisionsMax;
    this.#bytesMax = options.bytesMax;
  }

  covers(revision: Revision): boolean {
    return revision >= this.#after;
  }

  newest(key: string): Version | undefined {
    return this.#newest.get(key);
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#newest.set(change.entry.key, change);
    this.#bytes += bytesOf(change);
  }

  /** Drops what is over the bounds. To be called between revisions. */
  trim(revision: Revision): void {
    while (this.#start < this.#changes.length) {
      const oldest = this.#changes[this.#start]?.event.revision ?? revision;
      if (revision - oldest < this.#revisionsMax && this.#bytes <= this.#bytesMax) break;
      this.#dropRevision(oldest);
    }
    if (this.#start > this.#changes.length >>> 1) {
      this.#changes = this.#changes.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Events after the revision, of keys with the prefix. Only when `covers(revision)`. */
  eventsAfter(revision: Revision, prefix: string): StoreEvent[] {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.event.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    const events: StoreEvent[] = [];
    for (let at = low; at < this.#changes.length; at++) {
      const event = this.#changes[at]?.event;
      if (event?.key.startsWith(prefix)) events.push(event);
    }
    return events;
  }

  #dropRevision(revision: Revision): void {
    for (;;) {
      const change = this.#changes[this.#start];
      if (!change || change.event.revision !== revision) break;
      this.#start++;
      this.#bytes -= bytesOf(change);
      if (this.#newest.get(change.entry.key) === change) this.#newest.delete(change.entry.key);
    }
    this.#after = revision;
  }
}

const bytesOf = ({ entry }: Change): number => (entry.value?.byteLength ?? 0) + (entry.managed?.byteLength ?? 0);
