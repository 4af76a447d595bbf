/**
 * Leases of the store for objects with a time to live (events). One lease serves all objects of the same span that are
 * written within a minute, so an object lives up to a minute longer than asked, and never shorter.
 * Upstream: apiserver/pkg/storage/etcd3/lease_manager.go.
 */
import type { Clock } from '../../../client/clock.ts';
import type { Storage } from '../../store/storage.ts';

const reuseMs = 60_000;

interface SharedLease {
  readonly lease: Promise<number>;
  readonly reusableUntilMs: number;
}

export class SharedLeases {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #byTtl = new Map<number, SharedLease>();

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  lease(ttlSeconds: number): Promise<number> {
    const nowMs = this.#clock.monotonic();
    const known = this.#byTtl.get(ttlSeconds);
    if (known && nowMs < known.reusableUntilMs) return known.lease;
    const lease = this.#storage.grantLease(ttlSeconds + reuseMs / 1000);
    this.#byTtl.set(ttlSeconds, { lease, reusableUntilMs: nowMs + reuseMs });
    lease.catch(() => this.#byTtl.delete(ttlSeconds));
    return lease;
  }
}
