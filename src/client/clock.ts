/**
 * The one seam for time and chance. Nothing else in src calls `Date.now`, `setTimeout` or `Math.random`.
 *
 * `realClock` is the process's own. `VirtualClock` (virtual-clock.ts) is moved by hand: simulations and tests see
 * hours pass in milliseconds, in the same order every time.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as nodeSetTimeout } from 'node:timers';

export interface Timer extends Disposable {
  /** Cancels; harmless when it has fired. */
  cancel(): void;
}

export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that only ever grow; differences are durations. */
  monotonic(): number;
  /** Calls back once, after at least `delayMs`. Timers do not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Calls back every `periodMs` until cancelled. */
  setInterval(callback: () => void, periodMs: number): Timer;
  /** Resolves after `delayMs`; rejects with the signal's reason when aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Where time is moved by hand: it stands still until this work of a disk or a thread, which the event loop does not show,
   * has ended, well or badly. The work itself must not wait for this clock.
   */
  holdFor?(work: Promise<unknown>): void;
}

export interface Random {
  /** in [0, 1) */
  next(): number;
  /** a random (version 4) UUID */
  uuid(): string;
  /** `length` characters of Kubernetes' alphabet for generated names (no vowels, no look-alikes) */
  suffix(length: number): string;
  /** What all of it follows from, where it does. */
  readonly seed?: number;
}

/** Upstream: apimachinery/pkg/util/rand. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const timeoutMsMax = 2 ** 31 - 1;

class RealTimer implements Timer {
  #handle: NodeJS.Timeout;
  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle.unref();
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
  [Symbol.dispose](): void {
    this.cancel();
  }
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs) => new RealTimer(nodeSetTimeout(callback, Math.min(Math.max(delayMs, 0), timeoutMsMax))),
  setInterval: (callback, periodMs) => new RealTimer(setInterval(callback, Math.min(periodMs, timeoutMsMax))),
  sleep: (delayMs, signal) => sleepOn(realClock, delayMs, signal),
};

export function sleepOn(clock: Pick<Clock, 'setTimeout'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export const realRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  suffix: (length) => Array.from(randomBytes(length), (byte) => suffixAlphabet[byte % suffixAlphabet.length]).join(''),
};

/** A reproducible source: the same seed gives the same names and UUIDs (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const hex = (digits: number): string => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  return {
    seed,
    next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    suffix: (length) => Array.from({ length }, () => suffixAlphabet[Math.floor(next() * suffixAlphabet.length)]).join(''),
  };
}

const aliveCheckMs = 2 ** 30;

/** Keeps the process alive until disposed: for programs that wait on timers, which by themselves do not. */
export function keepProcessAlive(): Disposable {
  const handle = setInterval(() => undefined, aliveCheckMs);
  return { [Symbol.dispose]: () => clearInterval(handle) };
}
