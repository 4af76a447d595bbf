/**
 * One of several processes leads, decided by a Lease.
 *
 * Guarantees: at most one leads at a time as long as clocks run at about the same pace (they need not agree): a
 * candidate takes over only after it has seen the lease unchanged for its whole duration, and a leader that could not
 * renew within the deadline stops leading before that. A leader that is stopped gives the lease back.
 * Upstream: client-go/tools/leaderelection.
 */
import { Lease } from '../../api/generated/kinds.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../../api/meta/status-error.ts';
import { formatMicroTime } from '../../api/meta/time.ts';
import type { Client } from '../client.ts';
import { type Clock, keepProcessAlive, type Random } from '../clock.ts';
import type { Log } from '../log.ts';

export interface LeaderElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** unique among the candidates */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** called after each try that found another one leading */
  readonly onWaiting?: (holder: string) => void;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  /** default: the retry period */
  readonly renewPeriodMs?: number;
}

export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly code = 'leadership-lost';
}

const jitterFactor = 1.2;

/**
 * Waits to become leader, then runs `lead` until it returns. Its signal is aborted when the outer one is, and when
 * leadership is lost: then, after `lead` has returned, a LeadershipLostError is thrown.
 */
export async function runAsLeader(
  client: Pick<Client, 'get' | 'create' | 'update'>,
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using _alive = keepProcessAlive(); // who waits for the lease has no other handle
  const candidate = new Candidate(client, options);
  if (!(await candidate.acquire())) return;
  const stop = new AbortController();
  const leading = lead(AbortSignal.any([stop.signal, options.signal]));
  const done = new AbortController();
  const kept = candidate.keep(AbortSignal.any([done.signal, options.signal])).then((lost) => {
    if (lost) stop.abort(new LeadershipLostError(`${options.name}: not renewed in time`));
    return lost;
  });
  try {
    await leading;
  } finally {
    done.abort();
    if (!(await kept)) await candidate.release();
  }
  stop.signal.throwIfAborted();
}

class Candidate {
  readonly #client: Pick<Client, 'get' | 'create' | 'update'>;
  readonly #options: LeaderElectionOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  #seen: Lease | undefined;
  #seenMs = 0;

  constructor(client: Pick<Client, 'get' | 'create' | 'update'>, options: LeaderElectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
  }

  /** False: stopped before. */
  async acquire(): Promise<boolean> {
    const { clock, random, signal } = this.#options;
    while (!signal.aborted) {
      if (await this.#attempt()) return true;
      const holder = this.#seen?.spec?.holderIdentity;
      if (holder) this.#options.onWaiting?.(holder);
      const delayMs = this.#retryPeriodMs * (1 + random.next() * jitterFactor);
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
    return false;
  }

  /** Renews until the signal aborts (false) or the deadline passes without success (true: lost). */
  async keep(signal: AbortSignal): Promise<boolean> {
    const { clock, renewPeriodMs = this.#retryPeriodMs } = this.#options;
    let renewedMs = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(renewPeriodMs, signal).catch(() => undefined);
      if (signal.aborted) return false;
      if (await this.#attempt(this.#renewDeadlineMs - (clock.monotonic() - renewedMs))) renewedMs = clock.monotonic();
      else if (clock.monotonic() - renewedMs >= this.#renewDeadlineMs) return true;
    }
    return false;
  }

  async release(): Promise<void> {
    const held = this.#seen;
    if (held?.spec?.holderIdentity !== this.#options.identity) return;
    const now = formatMicroTime(this.#options.clock.now());
    const spec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      await this.#client.update(Lease, { ...held, spec });
    } catch (error) {
      this.#options.log.debug({ error }, 'lease not released; it will run out');
    }
  }

  /** Whether we hold the lease now. */
  async #attempt(timeoutMs = this.#renewDeadlineMs): Promise<boolean> {
    const { clock, log } = this.#options;
    const late = new AbortController();
    using _ = clock.setTimeout(() => late.abort(), Math.max(timeoutMs, 0));
    try {
      return await this.#acquireOrRenew(late.signal);
    } catch (error) {
      const isUsual = isConflict(error) || isAlreadyExists(error); // another one was faster
      log[isUsual ? 'debug' : 'warn']({ lease: this.#options.name, error }, 'lease not acquired or renewed');
      return false;
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { namespace, name, identity, clock } = this.#options;
    const found = await this.#client.get(Lease, { namespace, name }, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const now = formatMicroTime(clock.now());
    const ours = { holderIdentity: identity, leaseDurationSeconds: Math.round(this.#leaseDurationMs / 1000), renewTime: now };
    if (!found) {
      const spec = { ...ours, acquireTime: now, leaseTransitions: 0 };
      this.#observe(await this.#client.create(Lease, { metadata: { namespace, name }, spec }, { signal }));
      return true;
    }
    this.#observe(found);
    const holder = found.spec?.holderIdentity ?? '';
    // As long as the holder asked for, which may be another program with other timings.
    const heldMs = (found.spec?.leaseDurationSeconds ?? 0) * 1000;
    if (holder && holder !== identity && clock.monotonic() < this.#seenMs + heldMs) return false;
    const spec =
      holder === identity
        ? { ...found.spec, ...ours }
        : { ...found.spec, ...ours, acquireTime: now, leaseTransitions: (found.spec?.leaseTransitions ?? 0) + 1 };
    this.#observe(await this.#client.update(Lease, { ...found, spec }, { signal }));
    return true;
  }

  #observe(lease: Lease): void {
    if (this.#seen?.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#seen = lease;
    this.#seenMs = this.#options.clock.monotonic();
  }
}
