/** Time limits of many requests on one timer, to the second: it runs only while there are any. */
import type { Clock, Timer } from '../../../client/clock.ts';

const tickMs = 1000;

export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly limitMs: number;
  /** in order of their start, so the first is the first to fall due */
  readonly #running = new Map<object, { readonly dueMs: number; readonly expire: () => void }>();
  #timer: Timer | undefined;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.limitMs = limitMs;
  }

  start(key: object, expire: () => void): void {
    this.#running.set(key, { dueMs: this.#clock.monotonic() + this.limitMs, expire });
    this.#timer ??= this.#clock.setInterval(() => this.#tick(), tickMs);
  }

  end(key: object): void {
    this.#running.delete(key);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running.clear();
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic();
    for (const [key, { dueMs, expire }] of this.#running) {
      if (dueMs > nowMs) break;
      this.#running.delete(key);
      expire();
    }
    if (this.#running.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
