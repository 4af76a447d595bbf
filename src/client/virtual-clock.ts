/**
 * A clock that stands still until it is moved. Timers fire in order of their time, then of their making; between two
 * of them everything that became ready runs to its end, so a simulation gives the same result every time.
 */
import { type Clock, sleepOn, type Timer } from './clock.ts';

interface Entry {
  dueMs: number;
  sequence: number;
  callback: () => void;
  periodMs?: number;
}

/** How many turns of the event loop `advance` grants between two timers: in-process request chains settle in fewer. */
const settleTurns = 8;

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #timers = new Set<Entry>();
  readonly #settle: () => Promise<void>;

  /** `settle` is awaited between timers; the default gives the event loop a few turns. */
  constructor(startMs: number = Date.UTC(2026, 0, 1), settle: () => Promise<void> = turns) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
    this.#settle = settle;
  }

  now(): number {
    return this.#nowMs;
  }
  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }
  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#add({ dueMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback });
  }
  setInterval(callback: () => void, periodMs: number): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, sequence: this.#sequence++, callback, periodMs: Math.max(1, periodMs) });
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** How many timers wait: zero after a clean stop. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on by `durationMs`, firing what falls due on the way. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.#settle();
    for (;;) {
      let next: Entry | undefined;
      for (const entry of this.#timers) {
        if (entry.dueMs <= endMs && (!next || entry.dueMs < next.dueMs || (entry.dueMs === next.dueMs && entry.sequence < next.sequence)))
          next = entry;
      }
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#timers.delete(next);
      else next.dueMs += next.periodMs;
      next.callback();
      await this.#settle();
    }
    this.#nowMs = endMs;
  }

  #add(entry: Entry): Timer {
    this.#timers.add(entry);
    const cancel = (): void => {
      this.#timers.delete(entry);
    };
    return { cancel, [Symbol.dispose]: cancel };
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < settleTurns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
