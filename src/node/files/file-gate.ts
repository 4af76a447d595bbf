/**
 * The way of system calls on files that others can make hang: a dead NFS server, a FUSE daemon that does not answer.
 * Such a call holds one of the few threads (4) that the whole process has for files, the store's among them.
 *
 * Guarantees: at most `callsMax` of these calls run at once, so the others always have threads left; a caller waits no
 * longer than `timeoutMs`, and no longer than until `signal` is aborted. A call that hangs keeps its place until the
 * kernel lets it go: it can't be taken back. Reads from a file that is open already do not pass it: they are bounded, and
 * only files of the node's own disk are read.
 */
import type { Clock } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';

export interface FileGateOptions {
  readonly clock: Pick<Clock, 'setTimeout'>;
  readonly callsMax?: number;
  readonly timeoutMs?: number;
  /** aborted: nothing is called any more, and nobody waits */
  readonly signal?: AbortSignal;
}

/** half of the threads that Node has for files */
const callsMaxDefault = 2;
const timeoutMsDefault = 30_000;

/** The file system did not answer in time. */
export class FileTimeoutError extends Error {
  override readonly name = 'FileTimeoutError';
  readonly code = 'ETIMEDOUT';
}

export class FileGate {
  readonly #options: FileGateOptions;
  /** calls that have no place yet, in their order */
  readonly #queue = new Set<() => void>();
  readonly #callers = new Set<(reason: unknown) => void>();
  #free: number;

  constructor(options: FileGateOptions) {
    const { signal, callsMax = callsMaxDefault } = options;
    this.#options = options;
    this.#free = callsMax;
    signal?.addEventListener('abort', () => this.#giveUp(signal.reason), { once: true });
  }

  /** `discard` gets what comes after the caller has gone: an open file has to be closed. */
  async call<T>(what: string, work: () => Promise<T>, discard?: (late: T) => void): Promise<T> {
    const { clock, signal, timeoutMs = timeoutMsDefault } = this.#options;
    signal?.throwIfAborted();
    const caller = Promise.withResolvers<T>();
    let gone = false;
    const leave = (reason: unknown): void => {
      gone = true;
      caller.reject(reason);
    };
    const perform = async (): Promise<void> => {
      try {
        const value = await work();
        if (gone) discard?.(value);
        else caller.resolve(value);
      } finally {
        this.#free++;
        this.#next();
      }
    };
    const begin = (): void => {
      this.#free--;
      detach(perform, caller.reject);
    };
    using _timer = clock.setTimeout(() => {
      const why = this.#queue.has(begin) ? 'other file systems hold all places' : 'the file system does not answer';
      leave(new FileTimeoutError(`${what}: no answer within ${timeoutMs / 1000} s: ${why}`));
    }, timeoutMs);
    this.#callers.add(leave);
    if (this.#free > 0) begin();
    else this.#queue.add(begin);
    try {
      return await caller.promise;
    } finally {
      this.#callers.delete(leave);
      this.#queue.delete(begin);
    }
  }

  #next(): void {
    const [begin] = this.#queue;
    if (!begin) return;
    this.#queue.delete(begin);
    begin();
  }

  #giveUp(reason: unknown): void {
    this.#queue.clear();
    for (const leave of this.#callers) leave(reason);
  }
}
