/** What every store is opened with. */
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';

export interface StoreOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** how long history is kept; default 5 minutes */
  readonly historyMs?: number;
  /** how many revisions are kept at least; default 10,000 */
  readonly historyRevisions?: number;
  /** how often a watcher whose keys don't change is told of progress; default 5 s */
  readonly progressMs?: number;
}

export const historyMsDefault = 5 * 60_000;
export const historyRevisionsDefault = 10_000;
export const progressMsDefault = 5_000;
/** How long a write that succeeded answers for the next who ask. */
export const writableKeptMs = 1_000;
