/**
 * Keys that wait for their reconcile.
 *
 * Guarantees: a key waits at most once, however often it is added; it is never handed out twice at a time, and one
 * that is added while it is being worked on is handed out again after `done`. Of several `addAfter` of one key the
 * earliest counts. Retries are delayed by 5 ms, doubling per failure of the key up to 1000 s, and by a bucket of 10 a
 * second (burst 100) over all keys.
 * A key that comes back as soon as it is done slows down to 50 a second, after a burst of 200: a controller and its
 * opponent that undo each other's work for ever leave room for everybody else.
 *
 * It holds as many keys as there are objects, at most `keysMax`.
 * Upstream: client-go/util/workqueue.
 */
import type { ObjectKey } from '../../api/meta/object.ts';
import type { Clock, Timer } from '../clock.ts';
import { RecentMap } from '../recent-map.ts';
import { TokenBucket } from '../token-bucket.ts';

const firstRetryMs = 5;
const retryMsMax = 1_000_000;
const retryBucket = { perSecond: 10, burst: 100 };
const keyBucket = { perSecond: 50, burst: 200 };
/** keys whose pace is known: the ones handed out last */
const pacedKeysMax = 10_000;
const keysMax = 1_000_000;

export class WorkQueue {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  /** in the order of their adding */
  readonly #waiting = new Set<ObjectKey>();
  readonly #working = new Set<ObjectKey>();
  /** added while being worked on */
  readonly #again = new Set<ObjectKey>();
  readonly #delayed = new Map<ObjectKey, { readonly dueMs: number; readonly timer: Timer }>();
  readonly #failures = new Map<ObjectKey, number>();
  readonly #paces = new RecentMap<ObjectKey, TokenBucket>(pacedKeysMax);
  readonly #takers: ((key: ObjectKey | undefined) => void)[] = [];
  #closed: boolean = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(clock, retryBucket);
  }

  /** how many keys could be handed out */
  get depth(): number {
    return this.#waiting.size;
  }

  /** handed out, and not yet done */
  get working(): readonly ObjectKey[] {
    return [...this.#working];
  }

  add(key: ObjectKey): void {
    if (this.#closed || this.#waiting.has(key)) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    const waitMs = this.#paces.get(key)?.untilNextMs() ?? 0;
    if (waitMs > 0) {
      this.addAfter(key, waitMs);
      return;
    }
    const taker = this.#takers.shift();
    if (taker) {
      this.#handOut(key);
      taker(key);
      return;
    }
    if (this.#waiting.size >= keysMax) throw new Error(`the queue is full (${keysMax} keys)`);
    this.#waiting.add(key);
  }

  addAfter(key: ObjectKey, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonic() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier && earlier.dueMs <= dueMs) return;
    earlier?.timer.cancel();
    const timer = this.#clock.setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, delayMs);
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Again, after a delay that grows with each failure until `forget`. */
  retry(key: ObjectKey): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.max(Math.min(firstRetryMs * 2 ** failures, retryMsMax), this.#bucket.takeAfterMs()));
  }

  failures(key: ObjectKey): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: ObjectKey): void {
    this.#failures.delete(key);
  }

  /** The next key, as soon as there is one; undefined when the queue is closed. Tell `done` afterwards. */
  take(): Promise<ObjectKey | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      this.#handOut(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  #handOut(key: ObjectKey): void {
    this.#working.add(key);
    let pace = this.#paces.get(key);
    if (!pace) {
      pace = new TokenBucket(this.#clock, keyBucket);
      this.#paces.set(key, pace);
    }
    pace.tryTake();
  }

  done(key: ObjectKey): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
