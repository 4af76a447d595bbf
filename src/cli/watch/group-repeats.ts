/**
 * Refusals and warnings that come again and again, as the first one and how often it came since: a ReplicaSet against a
 * quota asks many times a second. A component's refusals are the same though each names another pod. All else passes at
 * once. A count has the time of the newest act that came, so that lines stay in the order of their times.
 */

import type { Clock } from '../../client/clock.ts';
import type { Act } from '../../client/events/acts.ts';

export interface RepeatedAct {
  /** the last of them, at the time of the count */
  readonly repeated: Act;
  readonly times: number;
  readonly seconds: number;
}

const windowMs = 10_000;
/** Others pass. */
const groupsMax = 200;

interface Group {
  last: Act;
  times: number;
  sinceMs: number;
}

export async function* groupRepeats<T extends object>(told: AsyncIterable<Act | T>, clock: Clock): AsyncGenerator<Act | T | RepeatedAct> {
  const groups = new Map<string, Group>();
  const source = told[Symbol.asyncIterator]();
  using stack = new DisposableStack();
  const stop = stack.adopt(new AbortController(), (controller) => controller.abort());
  let next = source.next();
  let newest = '';
  let window: Promise<undefined> | undefined;
  try {
    for (;;) {
      const come: IteratorResult<Act | T> | undefined = await (window ? Promise.race([next, window]) : next);
      if (come === undefined || come.done) yield* counted(groups, { clock, newest, isEnd: come?.done === true });
      if (come?.done) return;
      if (come === undefined) window = undefined;
      else {
        next = source.next();
        newest = laterOf(newest, come.value);
        if (!isRepeat(groups, come.value, clock)) yield come.value;
      }
      if (groups.size > 0) window ??= clock.sleep(windowMs - longestMs(groups, clock), stop.signal).then(nothing, nothing);
    }
  } finally {
    await source.return?.();
  }
}

const longestMs = (groups: ReadonlyMap<string, Group>, clock: Clock): number =>
  Math.max(...[...groups.values()].map(({ sinceMs }) => clock.monotonic() - sinceMs));

const nothing = (): undefined => undefined;

/** Counts it, if it is one. */
function isRepeat(groups: Map<string, Group>, value: object, clock: Clock): boolean {
  const act = 'did' in value ? (value as Act) : undefined;
  const key = act && keyOf(act);
  if (!act || key === undefined) return false;
  const group = groups.get(key);
  if (!group && groups.size < groupsMax) groups.set(key, { last: act, times: 0, sinceMs: clock.monotonic() });
  if (!group) return false;
  group.last = act;
  group.times++;
  return true;
}

/** RFC 3339 in UTC, of one length: as text they are in order. */
const laterOf = (time: string, value: object): string => ('time' in value && String(value.time) > time ? String(value.time) : time);

interface Count {
  readonly clock: Clock;
  readonly newest: string;
  readonly isEnd: boolean;
}

function* counted(groups: Map<string, Group>, { clock, newest, isEnd }: Count): Generator<RepeatedAct> {
  const nowMs = clock.monotonic();
  for (const [key, group] of groups) {
    const passedMs = nowMs - group.sinceMs;
    if (!isEnd && passedMs < windowMs) continue;
    if (group.times === 0) groups.delete(key);
    else
      yield {
        repeated: { ...group.last, time: laterOf(newest, group.last) },
        times: group.times,
        seconds: Math.max(1, Math.round(passedMs / 1000)),
      };
    group.times = 0;
    group.sinceMs = nowMs;
  }
}

/** A component asks for one of many, a user for this one. */
function keyOf({ component, node, user, did, verb, object, owners, refusal, event }: Act): string | undefined {
  const { kind, namespace, subresource, name } = object;
  const who = { component, node, user, kind, namespace, subresource, owners };
  if (did === 'told' && event?.type === 'Warning') return JSON.stringify([who, name, event.reason, event.message]);
  if (did !== 'refused') return undefined;
  return JSON.stringify([who, verb, component ? '' : name, refusal?.code, refusal?.reason, refusal?.by]);
}
