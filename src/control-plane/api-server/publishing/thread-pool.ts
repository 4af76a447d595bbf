/**
 * Whether libuv's threads, which do this process's file access and cryptography, still take work. Asked only when
 * somebody wants to know; all who ask at the same time share one probe, so a pool that is stuck is not filled further.
 */
import { randomFill } from 'node:crypto';
import { type Clock, realClock } from '../../../client/clock.ts';

export class ThreadPool {
  readonly #clock: Clock;
  readonly #work: () => Promise<void>;
  #probe: Promise<void> | undefined;

  constructor(clock: Clock, work: () => Promise<void>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Rejects when the threads have not done a piece of work within `withinMs`. */
  async answers(withinMs: number): Promise<void> {
    this.#probe ??= this.#work().finally(() => {
      this.#probe = undefined;
    });
    const late = Promise.withResolvers<never>();
    using _timer = this.#clock.setTimeout(() => late.reject(new Error(`the threads have taken no work for ${withinMs} ms`)), withinMs);
    await Promise.race([this.#probe, late.promise]);
  }
}

/** This process's. Random bytes always come from a thread; file access need not. */
export const threadPool = new ThreadPool(
  realClock,
  () => new Promise((resolve, reject) => randomFill(Buffer.alloc(1), (error) => (error ? reject(error) : resolve()))),
);
