/**
 * One watch of etcd, kept up over whatever happens to its stream or the member that serves it.
 *
 * Guarantees: events in order, each once, a revision never split. A stream that breaks is opened again, at whichever
 * member answers, behind the last revision that was told; when that has been compacted meanwhile, CompactedError.
 * etcd says nothing to a watcher that is catching up, however it is asked: so it is asked again.
 * Upstream: etcd's client/v3/watch.go; server/etcdserver/api/v3rpc/watch.go.
 */
import { BackOff } from '../../../client/back-off.ts';
import { realClock, realRandom, type Timer } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import { CompactedError, type Revision, type StoreEvent, type StoreEvents, StoreUnavailableError } from '../storage.ts';
import type { Call, EtcdClient } from './etcd-client.ts';
import type { EtcdEvent, Header } from './etcd-messages.ts';

const askAgainMs = 100;
const reopenMsFirst = 50;
const reopenMsMax = 1_000;

interface WatchAnswer {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  /** '0': it is no reason */
  readonly compactRevision: string;
  readonly cancelReason: string;
  readonly events: readonly EtcdEvent[];
}

export interface EtcdWatcherOptions {
  readonly client: EtcdClient;
  readonly log: Log | undefined;
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly revision: Revision;
  /** the last revision that anybody here has heard of */
  known(): Revision;
  learn(revision: Revision): void;
  learnCompacted(revision: Revision): void;
  /** Throws when the state as of this revision can't be read. */
  checkReadable(revision: Revision): Promise<void>;
  events(of: readonly EtcdEvent[]): Promise<StoreEvent[]>;
}

export class EtcdWatcher {
  readonly #options: EtcdWatcherOptions;
  readonly #backOff = new BackOff(realRandom, { firstMs: reopenMsFirst, maxMs: reopenMsMax });
  /** everything up to here has been told */
  #seen: Revision;
  #call: Call | undefined;
  #asking: Timer | undefined;

  constructor(options: EtcdWatcherOptions) {
    this.#options = options;
    this.#seen = options.revision;
  }

  get isBehind(): boolean {
    return this.#seen < this.#options.known();
  }

  /** Asks until it has been told of what is known now. */
  askProgress(): void {
    if (!this.#call || this.#asking || !this.isBehind) return;
    this.#call.write({ progressRequest: {} });
    this.#asking = realClock.setTimeout(() => {
      this.#asking = undefined;
      this.askProgress();
    }, askAgainMs);
  }

  /** Until the signal aborts. */
  async *batches(signal: AbortSignal): AsyncGenerator<StoreEvents, undefined> {
    let isBroken = false;
    while (!signal.aborted) {
      try {
        await this.#options.checkReadable(this.#seen).catch(brokenWhenAway);
        if (signal.aborted) return;
        for await (const batch of this.#stream(signal)) {
          isBroken = false;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BrokenStreamError)) throw error;
        if (!isBroken) this.#options.log?.warn({ error, revision: this.#seen }, 'a watch of etcd broke off, and is opened again');
        isBroken = true;
      }
      await realClock.sleep(this.#backOff.next(), signal).catch(() => undefined);
    }
  }

  async *#stream(signal: AbortSignal): AsyncGenerator<StoreEvents, undefined> {
    const { client, key, rangeEnd } = this.#options;
    const { call, left, failed } = client.stream('Watch', 'Watch');
    const until = AbortSignal.any([signal, left]);
    const cancel = (): void => call.cancel();
    until.addEventListener('abort', cancel, { once: true });
    this.#call = call;
    try {
      call.write({ createRequest: { key, rangeEnd, startRevision: this.#seen + 1, prevKv: true } });
      for await (const answer of answersOf(call)) {
        const batch = await this.#take(answer);
        if (batch) yield batch;
      }
      throw new BrokenStreamError('etcd ended the stream');
    } catch (error) {
      if (error instanceof BrokenStreamError) failed();
      throw error;
    } finally {
      this.#call = undefined;
      this.#asking?.cancel();
      this.#asking = undefined;
      until.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  async #take({ header, created, canceled, compactRevision, cancelReason, events }: WatchAnswer): Promise<StoreEvents | undefined> {
    const revision = Number(header.revision);
    this.#options.learn(revision);
    if (canceled) {
      if (compactRevision === '0') throw new BrokenStreamError(cancelReason);
      this.#options.learnCompacted(Number(compactRevision));
      throw new CompactedError(`the revisions after ${this.#seen} have been compacted; the oldest is ${compactRevision}`);
    }
    this.#backOff.reset();
    if (created) {
      this.askProgress();
      return undefined;
    }
    const told = Number(events.at(-1)?.kv.modRevision ?? revision);
    if (told <= this.#seen) return undefined;
    this.#seen = told;
    return { revision: told, events: await this.#options.events(events) };
  }
}

class BrokenStreamError extends Error {
  override readonly name = 'BrokenStreamError';
}

/** One who can't be asked now is asked later. */
function brokenWhenAway(cause: unknown): never {
  throw cause instanceof StoreUnavailableError ? new BrokenStreamError(cause.message, { cause }) : cause;
}

/** What a stream fails with is one error. */
async function* answersOf(call: Call): AsyncGenerator<WatchAnswer, undefined> {
  const answers = call[Symbol.asyncIterator]() as AsyncIterator<WatchAnswer>;
  for (;;) {
    const next = await answers.next().catch((cause: unknown) => {
      throw new BrokenStreamError((cause as Error).message, { cause });
    });
    if (next.done) return;
    yield next.value;
  }
}
