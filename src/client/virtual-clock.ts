/**
 * A clock that stands still until it is moved. Timers fire in order of their time, then of their making; between two
 * of them everything that became ready runs to its end, so a simulation gives the same result every time. What the event
 * loop does not show, such as a write to a disk, is waited for when it was told (`holdFor`), and what follows from it too.
 *
 * Guarantees: time never goes back. Moves add up: one that is asked for while another is under way, by a timer or beside
 * it, begins when that one has ended. What is no length of time is a RangeError, and moves nothing.
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
/** How often in a row work may follow from work before time moves on all the same: somebody writes without end. */
const holdsMax = 100;

/** Programs count time from 1970, and the API writes four digits for a year. */
const firstMs = 0;
const lastMs = Date.parse('9999-12-31T23:59:59Z');

export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #timers = new Set<Entry>();
  readonly #settle: () => Promise<void>;
  readonly #held = new Set<Promise<unknown>>();
  /** the moves that were asked for so far */
  #moves: Promise<void> = Promise.resolve();

  /** `settle` is awaited between timers, and moves no clock itself; the default gives the event loop a few turns. */
  constructor(startMs: number = Date.UTC(2026, 0, 1), settle: () => Promise<void> = turns) {
    if (!(startMs >= firstMs && startMs <= lastMs)) throw new RangeError(`a clock starts in the years 1970 to 9999, not at ${startMs} ms`);
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
  /** What is no number of milliseconds is none, as the process's own timers have it. */
  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#add({ dueMs: this.#nowMs + Math.max(0, delayMs || 0), sequence: this.#sequence++, callback });
  }
  setInterval(callback: () => void, givenMs: number): Timer {
    const periodMs = Math.max(1, givenMs || 0);
    return this.#add({ dueMs: this.#nowMs + periodMs, sequence: this.#sequence++, callback, periodMs });
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  holdFor(work: Promise<unknown>): void {
    this.#held.add(work);
    const ended = (): void => {
      this.#held.delete(work);
    };
    work.then(ended, ended);
  }

  /** How many timers wait: zero after a clean stop. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on by `durationMs`, firing what falls due on the way. Zero lets what is due, or ready, happen. */
  async advance(durationMs: number): Promise<void> {
    if (!(durationMs >= 0 && Number.isFinite(durationMs))) throw new RangeError(`time moves on by 0 ms or more, not by ${durationMs}`);
    const moved = this.#moves.then(() => this.#move(durationMs));
    this.#moves = moved.catch(() => undefined); // told to who asked for it
    return moved;
  }

  async #move(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    if (endMs > lastMs) throw new RangeError('time ends with the year 9999');
    await this.#becomeIdle();
    for (;;) {
      const next = this.#next(endMs);
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#timers.delete(next);
      else next.dueMs += next.periodMs;
      next.callback();
      await this.#becomeIdle();
    }
    this.#nowMs = endMs;
  }

  async #becomeIdle(): Promise<void> {
    await this.#settle();
    for (let i = 0; i < holdsMax && this.#held.size > 0; i++) {
      await Promise.allSettled(this.#held);
      await this.#settle();
    }
  }

  #next(endMs: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#timers) {
      if (entry.dueMs <= endMs && (!next || entry.dueMs < next.dueMs || (entry.dueMs === next.dueMs && entry.sequence < next.sequence)))
        next = entry;
    }
    return next;
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
