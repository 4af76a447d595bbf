/**
 * Decides what becomes of an event: a new Event, one more count of an earlier one, or nothing.
 *
 * - The same event again counts on the first.
 * - From the tenth message of one reason about one object within ten minutes on, they share one Event.
 * - A source has 25 events about an object, and then one each five minutes.
 *
 * No I/O. What it remembers is bounded. Upstream: client-go/tools/record/events_cache.go.
 */
import type { Event } from '../../api/generated/kinds.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Clock } from '../clock.ts';
import { RecentMap } from '../recent-map.ts';
import { TokenBucket } from '../token-bucket.ts';

const rememberedMax = 4096;
const distinctMessagesMax = 10;
const aggregateWindowMs = 600_000;
const spamLimits = { burst: 25, perSecond: 1 / 300 };
const combinedPrefix = '(combined from similar events): ';

/** An Event before the server has it. */
export interface EventDraft {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly involvedObject: Event['involvedObject'];
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly source: { readonly component: string; readonly host?: string };
  readonly reportingComponent: string;
  readonly reportingInstance: string;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
}

export type Correlated = { readonly do: 'drop' } | { readonly do: 'create' | 'count'; readonly event: EventDraft };

interface Seen {
  readonly name: string;
  readonly firstTimestamp: string;
  readonly count: number;
}

export class EventCorrelator {
  readonly #clock: Clock;
  readonly #similar = new RecentMap<string, { readonly messages: Set<string>; lastMs: number }>(rememberedMax);
  readonly #seen = new RecentMap<string, Seen>(rememberedMax);
  readonly #buckets = new RecentMap<string, TokenBucket>(rememberedMax);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  correlate(draft: EventDraft): Correlated {
    const { event, key } = this.#aggregate(draft);
    const seen = this.#seen.get(key);
    const counted = seen ? withSeen(event, seen) : event;
    this.#seen.set(key, { name: counted.metadata.name, firstTimestamp: counted.firstTimestamp, count: counted.count });
    if (!this.#bucketOf(event).tryTake()) return { do: 'drop' };
    return { do: seen ? 'count' : 'create', event: counted };
  }

  #aggregate(draft: EventDraft): { event: EventDraft; key: string } {
    const nowMs = this.#clock.now();
    const similarKey = JSON.stringify([...subjectOf(draft), draft.reason]);
    let similar = this.#similar.get(similarKey);
    if (!similar || nowMs - similar.lastMs > aggregateWindowMs) {
      similar = { messages: new Set(), lastMs: nowMs };
      this.#similar.set(similarKey, similar);
    }
    similar.messages.add(draft.message);
    similar.lastMs = nowMs;
    if (similar.messages.size < distinctMessagesMax) {
      return { event: draft, key: JSON.stringify([...subjectOf(draft), draft.involvedObject.fieldPath, draft.reason, draft.message]) };
    }
    for (const message of similar.messages) {
      similar.messages.delete(message);
      break;
    }
    return { event: { ...draft, message: combinedPrefix + draft.message }, key: similarKey };
  }

  #bucketOf(event: EventDraft): TokenBucket {
    const key = JSON.stringify(subjectOf(event));
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new TokenBucket(this.#clock, spamLimits);
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }
}

const withSeen = (event: EventDraft, seen: Seen): EventDraft => ({
  ...event,
  metadata: { ...event.metadata, name: seen.name },
  firstTimestamp: seen.firstTimestamp,
  count: seen.count + 1,
});

/** Who reports what type about which object. */
function subjectOf({ source, involvedObject: o, type }: EventDraft): (string | undefined)[] {
  return [source.component, source.host, o.kind, o.namespace, o.name, o.uid, o.apiVersion, type];
}

/** `sequence` keeps the names of events of one millisecond apart. */
export function draftEvent(
  about: Event['involvedObject'],
  what: Pick<EventDraft, 'type' | 'reason' | 'message' | 'source'>,
  at: { readonly nowMs: number; readonly sequence: number },
): EventDraft {
  const time = formatTime(at.nowMs);
  const nanos = BigInt(Math.floor(at.nowMs)) * 1_000_000n + BigInt(at.sequence % 1_000_000);
  const suffix = `.${nanos.toString(16)}`;
  return {
    metadata: { name: (about.name ?? '').slice(0, 253 - suffix.length) + suffix, namespace: about.namespace || 'default' },
    involvedObject: about,
    ...what,
    reportingComponent: what.source.component,
    reportingInstance: what.source.host ?? '',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
