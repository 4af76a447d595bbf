/** Lets `burst` through at once and `perSecond` in the long run. Upstream: client-go/util/flowcontrol/throttle.go. */
import type { Clock } from './clock.ts';

export class TokenBucket {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(clock: Pick<Clock, 'monotonic'>, limits: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock;
    this.#perSecond = limits.perSecond;
    this.#burst = limits.burst;
    this.#tokens = limits.burst;
    this.#atMs = clock.monotonic();
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes a token, from the future if need be: how long to wait for it. */
  takeAfterMs(): number {
    this.#fill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** How long until `tryTake` takes one: 0 where it does now. */
  untilNextMs(): number {
    this.#fill();
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#perSecond) * 1000;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
  }
}
