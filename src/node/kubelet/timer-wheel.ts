/**
 * Many coarse timers on one: leases, node status and probes of thousands of nodes share a wheel, so that the clock
 * holds a single timer. A timer fires at the first tick at or after its time, never early; those of one tick fire
 * together, in the order in which they were set.
 */
import type { Clock, Timer } from '../../client/clock.ts';

const tickMs = 100;

interface Entry extends Timer {
  callback: (() => void) | undefined;
}

export class TimerWheel implements Disposable {
  readonly #clock: Clock;
  readonly #ticks = new Map<number, Set<Entry>>();
  /** a binary heap of the ticks that have entries */
  readonly #heap: number[] = [];
  #timer: { readonly tick: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const tick = Math.ceil((this.#clock.monotonic() + Math.max(0, delayMs)) / tickMs);
    let entries = this.#ticks.get(tick);
    if (!entries) {
      entries = new Set();
      this.#ticks.set(tick, entries);
      this.#push(tick);
    }
    const cancel = (): void => {
      entry.callback = undefined;
      entries.delete(entry);
    };
    const entry: Entry = { callback, cancel, [Symbol.dispose]: cancel };
    entries.add(entry);
    this.#arm();
    return entry;
  }

  [Symbol.dispose](): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#ticks.clear();
    this.#heap.length = 0;
  }

  #arm(): void {
    const tick = this.#heap[0];
    if (tick === undefined || this.#timer?.tick === tick) return;
    this.#timer?.timer.cancel();
    const delayMs = Math.max(0, tick * tickMs - this.#clock.monotonic());
    this.#timer = { tick, timer: this.#clock.setTimeout(() => this.#fire(), delayMs) };
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (let tick = this.#heap[0]; tick !== undefined && tick * tickMs <= nowMs; tick = this.#heap[0]) {
      this.#pop();
      const entries = this.#ticks.get(tick);
      this.#ticks.delete(tick);
      for (const entry of entries ?? []) entry.callback?.();
    }
    this.#arm();
  }

  #push(tick: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(tick);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] ?? 0) <= tick) break;
      heap[at] = heap[parent] ?? 0;
      at = parent;
    }
    heap[at] = tick;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
      if ((heap[child] ?? 0) >= last) break;
      heap[at] = heap[child] ?? 0;
      at = child;
    }
    heap[at] = last;
  }
}
