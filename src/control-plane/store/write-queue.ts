/**
 * The one writer. What is queued while a batch is being written goes into the next batch, all of it together: many
 * waiting writers share one fsync.
 *
 * Guarantees: works settle in the order in which they were queued; `published` is called for a durable batch before any
 * of its works is told. When a batch can't be written, it fails and so does everything queued behind it (which was
 * checked against it), `rolledBack` is called, and the queue goes on with what comes next.
 */
import { messageOf } from '../../api/meta/status-error.ts';
import { StoreUnavailableError } from './storage.ts';
import type { WriteBatch } from './tables.ts';

/** Something to be made durable. */
export interface Work {
  /** Adds itself to the batch. Called once, just before the batch is written. */
  addTo(batch: WriteBatch): void;
  resolve(): void;
  reject(error: Error): void;
}

export interface WriteQueueOptions<W extends Work> {
  /** Told when the queue is no longer idle, of when it is again. */
  began(untilIdle: Promise<void>): void;
  newBatch(): WriteBatch;
  /** Waits until the writes of the moment have come together. */
  gather(): Promise<void>;
  write(batch: WriteBatch): Promise<void> | undefined;
  published(batch: WriteBatch, works: readonly W[]): void;
  rolledBack(error: Error): void;
}

/** More than any server lets run at once; a queue longer than this is a leak of somebody's. */
const queueLengthMax = 100_000;
/** Keeps a batch, and with it the time to its fsync, short. */
const batchWorksMax = 4096;

export class WriteQueue<W extends Work> {
  readonly #options: WriteQueueOptions<W>;
  #queued: W[] = [];
  #running: Promise<void> | undefined;

  constructor(options: WriteQueueOptions<W>) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  push(work: W): void {
    if (this.#queued.length >= queueLengthMax) {
      work.reject(new StoreUnavailableError(`too many writes are waiting (${queueLengthMax})`));
      return;
    }
    this.#queued.push(work);
    if (this.#running) return;
    this.#running = this.#run();
    this.#options.began(this.#running);
  }

  /** Settles when all that is queued has settled, well or badly. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    await this.#options.gather();
    while (this.#queued.length > 0) {
      const works = this.#queued.length > batchWorksMax ? this.#queued.splice(0, batchWorksMax) : this.#queued;
      if (works === this.#queued) this.#queued = [];
      await this.#writeTogether(works);
    }
    this.#running = undefined;
  }

  async #writeTogether(works: readonly W[]): Promise<void> {
    const batch = this.#options.newBatch();
    try {
      for (const work of works) work.addTo(batch);
      const written = this.#options.write(batch);
      if (written) await written;
    } catch (error) {
      this.#fail(works, error);
      return;
    }
    this.#options.published(batch, works);
    for (const work of works) work.resolve();
  }

  #fail(works: readonly W[], cause: unknown): void {
    const error = new StoreUnavailableError(`the store can't write: ${messageOf(cause)}`, { cause });
    const behind = this.#queued;
    this.#queued = [];
    this.#options.rolledBack(error);
    for (const work of works) work.reject(error);
    for (const work of behind) work.reject(error);
  }
}
