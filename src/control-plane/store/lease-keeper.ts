/**
 * The store's leases: what is granted, until when, and one timer for the one that ends first. When a lease ends, its
 * keys are deleted by ordinary commits, a slice at a time, and then the lease itself; a crash in between is taken up
 * again at the next start, since an expired lease is found expired.
 *
 * While the process runs, what counts is how long it has run: nobody's keys go because the wall clock was set. Wall time
 * says how much of a lease passed while nobody ran; at most all that is left of it begins again.
 *
 * Leases are few, because writers share them: an hour's worth of keys hangs on sixty. So the next end is found by
 * looking at all of them.
 */
import type { Clock, Timer } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import { LeaseNotFoundError, type Op } from './storage.ts';
import type { LeaseRecord } from './tables.ts';

/** Deletions per commit: the event loop gets its turn in between. */
const endSliceMax = 256;
const retryMs = 1_000;

export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly leases: readonly LeaseRecord[];
  /** makes grants and renewals (`record`) or an end (its id) durable */
  readonly save: (change: LeaseRecord | number) => Promise<void>;
  /** the lease's keys that still hang on it, each with its revision: some of those that follow `startAfter` */
  readonly keysOf: (lease: number, startAfter: string | undefined, limit: number) => { keys: string[]; deletions: Op[] };
  readonly commit: (ops: readonly Op[]) => Promise<unknown>;
  /** resolves when all writes that are under way have settled */
  readonly idle: () => Promise<void>;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  /** when each ends, on the monotonic clock */
  readonly #leases = new Map<number, { readonly ttlMs: number; readonly endsAtMs: number }>();
  readonly #ending = new Map<number, Promise<void>>();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #stopped: boolean = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    const { clock } = options;
    for (const { id, ttlMs, expiresAtMs } of options.leases) {
      const leftMs = Math.min(expiresAtMs - clock.now(), ttlMs);
      this.#leases.set(id, { ttlMs, endsAtMs: clock.monotonic() + leftMs });
    }
    this.#arm();
  }

  /** Whether keys can be attached to it. */
  has(id: number): boolean {
    return this.#leases.has(id) && !this.#ending.has(id);
  }

  async grant(id: number, ttlSeconds: number): Promise<number> {
    if (!(ttlSeconds > 0)) throw new RangeError(`a lease needs a time to live above 0, not ${ttlSeconds}`);
    await this.#keep(id, ttlSeconds * 1000);
    return id;
  }

  async renew(id: number): Promise<void> {
    const lease = this.#leases.get(id);
    if (!lease || !this.has(id)) throw notFound(id);
    await this.#keep(id, lease.ttlMs);
  }

  async revoke(id: number): Promise<void> {
    if (!this.#leases.has(id)) throw notFound(id);
    await this.#end(id);
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #keep(id: number, ttlMs: number): Promise<void> {
    const { clock, save } = this.#options;
    const endsAtMs = clock.monotonic() + ttlMs;
    await save({ id, ttlMs, expiresAtMs: clock.now() + ttlMs });
    if (this.#stopped || this.#ending.has(id)) return;
    this.#leases.set(id, { ttlMs, endsAtMs });
    this.#arm();
  }

  #arm(delayMsMin = 0): void {
    if (this.#stopped) return;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const [id, { endsAtMs }] of this.#leases) {
      if (!this.#ending.has(id)) firstMs = Math.min(firstMs, endsAtMs);
    }
    if (firstMs === this.#timerAtMs && this.#timer) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = firstMs;
    if (firstMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(firstMs - this.#options.clock.monotonic(), delayMsMin);
    this.#timer = this.#options.clock.setTimeout(() => this.#endExpiredSoon(), delayMs);
  }

  #endExpiredSoon(): void {
    detach(
      () => this.#endExpired(),
      () => this.#arm(retryMs),
    );
  }

  async #endExpired(): Promise<void> {
    this.#timer = undefined;
    const nowMs = this.#options.clock.monotonic();
    const expired = [...this.#leases].filter(([id, { endsAtMs }]) => endsAtMs <= nowMs && !this.#ending.has(id));
    const ends = await Promise.allSettled(expired.map(([id]) => this.#end(id)));
    // A store that can't write says so to its writers; the lease is still there and is ended when it can.
    this.#arm(ends.some((end) => end.status === 'rejected') ? retryMs : 0);
  }

  #end(id: number): Promise<void> {
    const running = this.#ending.get(id);
    if (running) return running;
    const ending = this.#deleteWithKeys(id).finally(() => this.#ending.delete(id));
    this.#ending.set(id, ending);
    return ending;
  }

  async #deleteWithKeys(id: number): Promise<void> {
    const { idle, keysOf, commit, save } = this.#options;
    await idle();
    let startAfter: string | undefined;
    for (;;) {
      const { keys, deletions } = keysOf(id, startAfter, endSliceMax);
      if (keys.length === 0) break;
      if (deletions.length > 0) await commit(deletions);
      startAfter = keys.at(-1);
    }
    await save(id);
    this.#leases.delete(id);
  }
}

function notFound(id: number): LeaseNotFoundError {
  return new LeaseNotFoundError(`there is no lease ${id}`);
}
