/** Many callbacks on one timer, which runs only while there are any: thousands of watchers cost one wake-up a minute. */
import type { Clock, Timer } from '../../../client/clock.ts';

export class Periodic {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #callbacks = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** Calls back at every beat; the first one comes within a period. */
  add(callback: () => void): Disposable {
    this.#callbacks.add(callback);
    this.#timer ??= this.#clock.setInterval(() => this.#beat(), this.#periodMs);
    return {
      [Symbol.dispose]: () => {
        this.#callbacks.delete(callback);
        if (this.#callbacks.size > 0) return;
        this.#timer?.cancel();
        this.#timer = undefined;
      },
    };
  }

  #beat(): void {
    for (const callback of this.#callbacks) callback();
  }
}
