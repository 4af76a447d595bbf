/**
 * Reads of the tables as of a revision: ranges and old events. Tables may know more than is visible yet (a batch being
 * written) and more than was visible then; walking back from a key's head finds what it was.
 */
import type { RecentHistory } from './recent-history.ts';
import {
  type KeyValue,
  type RangeQuery,
  type RangeResult,
  type Revision,
  StoreDamagedError,
  type StoreEvent,
  type StoreEvents,
} from './storage.ts';
import { type Head, type LogEntry, type Position, positionOf, revisionOf, type Tables } from './tables.ts';

/** Pages of old revisions whose count is remembered for the page after them. */
const countsMax = 64;

export class Visible {
  readonly #tables: Tables;
  readonly #recent: RecentHistory;
  /** how many keys are left after a page, by revision, prefix and the page's last key */
  readonly #counts = new Map<string, number>();

  constructor(tables: Tables, recent: RecentHistory) {
    this.#tables = tables;
    this.#recent = recent;
  }

  range(query: RangeQuery, revision: Revision): RangeResult {
    if (query.key !== undefined) return this.#single(query.key, revision, query.countOnly === true);
    const { prefix = '', startAfter } = query;
    const limit = query.countOnly ? 0 : query.limit || Number.POSITIVE_INFINITY;
    const before = positionOf(revision + 1, 0);
    const known = startAfter === undefined ? undefined : this.#takeCount(revision, prefix, startAfter);
    const items: KeyValue[] = [];
    let count = 0;
    for (const [key, head] of this.#tables.heads(prefix, startAfter)) {
      const position = this.#positionThen(head, before);
      if (position === 0) continue;
      count++;
      if (items.length < limit) {
        items.push(this.#readKey(key, position));
      } else if (known !== undefined) {
        count = known;
        break;
      }
    }
    const last = items.at(-1)?.key;
    const left = count - items.length;
    if (left > 0 && last !== undefined) this.#keepCount({ revision, prefix, startAfter: last, count: left });
    return { items, revision, count, more: left > 0 && !query.countOnly };
  }

  /** The value at a position that is known to hold one. */
  read(position: Position): KeyValue | undefined {
    const entry = this.#tables.entry(position);
    return entry && keyValueOf(entry);
  }

  /** Events of whole revisions after `after`; looks at about `entriesMax` entries, and says how far it got. */
  eventsAfter(from: { after: Revision; upTo: Revision; prefix: string; entriesMax: number }): StoreEvents {
    const { after, upTo, prefix, entriesMax } = from;
    const before = positionOf(upTo + 1, 0);
    const wanted = (key: string): boolean => key.startsWith(prefix);
    const events: StoreEvent[] = [];
    let seen = after;
    let count = 0;
    for (const entry of this.#tables.log(positionOf(after + 1, 0), wanted)) {
      if (entry.position >= before) break;
      const revision = revisionOf(entry.position);
      if (count >= entriesMax && revision > seen) return { revision: seen, events };
      count++;
      seen = revision;
      if (wanted(entry.key)) events.push(this.#eventOf(entry));
    }
    return { revision: upTo, events };
  }

  #single(key: string, revision: Revision, countOnly: boolean): RangeResult {
    const head = this.#tables.head(key);
    const position = head ? this.#positionThen(head, positionOf(revision + 1, 0)) : 0;
    const item = position > 0 && !countOnly ? this.#readKey(key, position) : undefined;
    return { items: item ? [item] : [], revision, count: position > 0 ? 1 : 0, more: false };
  }

  /** Where the key's value was; 0: it did not exist. */
  #positionThen(head: Head, before: Position): Position {
    let at: Pick<LogEntry, 'position' | 'deleted'> = head;
    while (at.position >= before) {
      const { previous = 0 } = this.#tables.entry(at.position) ?? {};
      const older = previous > 0 ? this.#tables.entry(previous) : undefined;
      if (!older) return 0;
      at = older;
    }
    return at.deleted ? 0 : at.position;
  }

  /** What a head points to is there: else the file was damaged, and nothing of it is to be trusted. */
  #readKey(key: string, position: Position): KeyValue {
    const recent = this.#recent.newest(key);
    const item = recent?.entry.position === position ? recent.current : this.read(position);
    if (item?.key !== key) throw new StoreDamagedError(`the store is damaged: the value of ${key} is not where it was written`);
    return item;
  }

  #eventOf(entry: LogEntry): StoreEvent {
    const { key } = entry;
    const before = entry.previous > 0 ? this.#tables.entry(entry.previous) : undefined;
    const previous = before && keyValueOf(before);
    const current = keyValueOf(entry);
    return {
      type: current ? 'put' : 'delete',
      key,
      revision: revisionOf(entry.position),
      current,
      previous,
    };
  }

  #takeCount(revision: Revision, prefix: string, startAfter: string): number | undefined {
    return this.#counts.get(`${revision} ${prefix} ${startAfter}`);
  }

  #keepCount(page: { revision: Revision; prefix: string; startAfter: string; count: number }): void {
    this.#counts.set(`${page.revision} ${page.prefix} ${page.startAfter}`, page.count);
    if (this.#counts.size <= countsMax) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      break;
    }
  }
}

function keyValueOf(entry: LogEntry): KeyValue | undefined {
  const { key, value, managed, position, createRevision, lease } = entry;
  if (value === undefined) return undefined;
  return { key, value, managed, revision: revisionOf(position), createRevision, lease: lease || undefined };
}
