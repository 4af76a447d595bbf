/**
 * Acts of a cluster beyond an end of its API server: when the stream ends, it is opened again, later each time, and one
 * note says for how long nobody told anything. It ends when the cluster was deleted, stays stopped, or the signal is
 * aborted. A refusal (StatusError) is thrown: asking again would not help.
 */
import { isStatusError } from '../../api/meta/status-error.ts';
import type { Clock } from '../../client/clock.ts';
import type { Act, ActStart, LostActs } from '../../client/events/acts.ts';

/** What can be known of a cluster that does not answer. `expected`: somebody starts it again. */
export type Fate = 'expected' | 'stopped' | 'unknown' | 'deleted';

/** The API server was away, and tells again. */
export interface AwayNote {
  readonly away: {
    readonly seconds: number;
    /** it is another process, and all that happened since that began follows; absent: something may be lost */
    readonly isWhole?: true | undefined;
  };
}

/** The cluster has stopped; it is waited for, this long. */
export interface WaitNote {
  readonly waiting: { readonly seconds: number };
}

/** The last one. */
export interface EndNote {
  readonly ended: Exclude<Fate, 'expected'>;
}

export type Told = Act | LostActs | AwayNote | WaitNote | EndNote;

export interface Followed {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** `start`: of the server that was read from before, as that said it; '' at first */
  open(start: string): Promise<AsyncIterable<Act | LostActs | ActStart>>;
  fate(): Promise<Fate>;
}

const retryMs = { first: 250, max: 4000 } as const;
/** How long one that does not answer is waited for. */
const patienceMs: Readonly<Record<Fate, number>> = {
  expected: Number.POSITIVE_INFINITY,
  stopped: 60_000,
  unknown: 300_000,
  deleted: 0,
};

export async function* followActs(followed: Followed): AsyncGenerator<Told> {
  const { clock, signal, open } = followed;
  let start = '';
  let acts = await open(start);
  let awaySeconds: number | undefined;
  for (;;) {
    for await (const told of untilBroken(acts)) {
      const isStart = 'start' in told;
      if (awaySeconds !== undefined) yield { away: { seconds: awaySeconds, isWhole: (isStart && told.isWhole) || undefined } };
      awaySeconds = undefined;
      if (isStart) start = told.start;
      else yield told;
    }
    if (signal.aborted) return;
    const sinceMs = clock.monotonic();
    const again = yield* reopened(followed, start, sinceMs);
    if (!again) return;
    acts = again;
    awaySeconds = Math.round((clock.monotonic() - sinceMs) / 1000);
  }
}

/** A connection that breaks is an end; the line that it cuts is lost with the rest. */
async function* untilBroken<T>(acts: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* acts;
  } catch (error) {
    if (isStatusError(error)) throw error;
  }
}

async function* reopened(
  { clock, signal, open, fate }: Followed,
  start: string,
  sinceMs: number,
): AsyncGenerator<WaitNote | EndNote, AsyncIterable<Act | LostActs | ActStart> | undefined> {
  let isTold = false;
  for (let delayMs: number = retryMs.first; !signal.aborted; delayMs = Math.min(delayMs * 2, retryMs.max)) {
    const how = await fate();
    if (how !== 'expected' && clock.monotonic() - sinceMs >= patienceMs[how]) {
      yield { ended: how };
      return undefined;
    }
    if (how === 'stopped' && !isTold) yield { waiting: { seconds: patienceMs.stopped / 1000 } };
    isTold ||= how === 'stopped';
    try {
      return await open(start);
    } catch (error) {
      if (isStatusError(error) && error.code < 500 && error.code !== 429) throw error;
    }
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
  return undefined;
}
