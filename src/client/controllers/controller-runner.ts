/**
 * Runs controllers: one queue and some workers for each, informers shared by all.
 *
 * Guarantees: no reconcile before every watched kind is in the cache and `start` has run; one key is never reconciled
 * twice at a time; a reconcile sees what earlier ones of its key wrote (tracked-client.ts); a thrown error, of whatever
 * kind, means again with back-off, a `TerminalError` means not again before something changes. When it is disposed no
 * reconcile is left running, but one that goes on 30 s after it was told to end, which is logged.
 * Upstream: controller-runtime's pkg/internal/controller, kube-controller-manager.
 */
import { type KubeObject, keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../api/meta/status-error.ts';
import type { Client } from '../client.ts';
import { type Clock, keepProcessAlive, type Random, realClock } from '../clock.ts';
import { createEventWriter } from '../events/event-writer.ts';
import type { Informer } from '../informers/informer.ts';
import type { Log } from '../log.ts';
import { type Controller, type ControllerIO, TerminalError, type Watched } from './controller.ts';
import { kindId, TrackedClient, Writes } from './tracked-client.ts';
import { WorkQueue } from './work-queue.ts';

export type ReconcileResult = 'success' | 'requeue_after' | 'error' | 'terminal_error';

/** What the runner measures; controller-metrics.ts has it as Prometheus series. */
export interface ControllerMetrics {
  queueDepth(controller: string, depth: number): void;
  reconciled(controller: string, result: ReconcileResult, durationSeconds: number): void;
}

export interface RunOptions {
  /** whose informers all controllers share: it must be allowed to list and watch what they watch */
  readonly client: Client;
  /** each one's own client, for everything else; default: `client` */
  readonly clientFor?: ((controller: Controller) => Client) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: ControllerMetrics | undefined;
  readonly signal?: AbortSignal | undefined;
  /** how long the end waits, in real time, for what a reconcile does without regard to its signal; default 30 s */
  readonly stopTimeoutMs?: number | undefined;
}

/** controller-runtime's GracefulShutdownTimeout. */
const stopTimeoutMsDefault = 30_000;

export interface RunningControllers extends AsyncDisposable {
  /** Resolves when every controller works; rejects when one can't start or all were stopped before. */
  readonly started: Promise<void>;
}

export function runControllers(controllers: readonly Controller[], options: RunOptions): RunningControllers {
  const alive = keepProcessAlive(); // what it waits by would not: retries, and a server that is away
  const stop = new AbortController();
  const abort = (): void => {
    stop.abort(options.signal?.reason);
    alive[Symbol.dispose]();
  };
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort, { once: true });
  const loops = controllers.map((controller) => new ControllerLoop(controller, options, stop.signal));
  const started = Promise.all(loops.map((loop) => loop.started)).then(() => undefined);
  started.catch(() => undefined);
  return {
    started,
    async [Symbol.asyncDispose]() {
      options.signal?.removeEventListener('abort', abort);
      stop.abort();
      await Promise.all(loops.map((loop) => loop.ended(options.stopTimeoutMs ?? stopTimeoutMsDefault)));
      alive[Symbol.dispose]();
    },
  };
}

class ControllerLoop {
  readonly started: Promise<void>;
  readonly #stopped: Promise<void>;
  readonly #controller: Controller;
  readonly #options: RunOptions;
  readonly #signal: AbortSignal;
  readonly #queue: WorkQueue;
  readonly #log: Log;
  readonly #client: Client;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  /** of keys whose writes the caches may not show yet */
  readonly #writes = new Map<ObjectKey, Writes>();

  constructor(controller: Controller, options: RunOptions, signal: AbortSignal) {
    this.#controller = controller;
    this.#options = options;
    this.#signal = signal;
    this.#queue = new WorkQueue(options.clock);
    this.#log = options.log.child({ controller: controller.name });
    this.#client = options.clientFor?.(controller) ?? options.client;
    const started = Promise.withResolvers<void>();
    this.started = started.promise;
    this.started.catch(() => undefined);
    this.#stopped = this.#run(started.resolve).catch((error: unknown) => {
      started.reject(error);
      if (!signal.aborted) this.#log.error({ error }, 'controller failed to start');
    });
  }

  /** After the signal has aborted. */
  async ended(timeoutMs: number): Promise<void> {
    using _ = keepProcessAlive();
    const done = new AbortController();
    const gaveUp = realClock.sleep(timeoutMs, done.signal).then(
      () => this.#log.error({ keys: this.#queue.working, timeoutMs }, 'gave up on reconciles that do not end'),
      () => undefined,
    );
    await Promise.race([this.#stopped, gaveUp]);
    done.abort();
  }

  async #run(started: () => void): Promise<void> {
    const { clock, random, client: reader } = this.#options;
    const signal = this.#signal;
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => undefined);
    await using events = createEventWriter(this.#client, { component: this.#controller.name, clock, log: this.#log });
    const client = new TrackedClient({ client: this.#client, reader, writes: new Writes(this.#informers), signal });
    const enqueue = (key: ObjectKey, afterMs = 0): void => this.#queue.addAfter(key, afterMs);
    const io: ControllerIO = { client, clock, random, events, log: this.#log, signal, enqueue };
    using handlers = new DisposableStack();
    signal.addEventListener('abort', () => this.#queue.close(), { once: true });

    const informers = this.#controller.watches.map((watched) => this.#informerOf(watched));
    await Promise.race([Promise.all(informers.map((informer) => informer.synced)), aborted]);
    await this.#controller.start?.(io);
    this.#controller.watches.forEach((watched, i) => {
      const informer = informers[i];
      if (informer) handlers.use(informer.on(this.#handlerOf(watched, io)));
    });
    started();
    await Promise.all(Array.from({ length: this.#controller.concurrency ?? 1 }, () => this.#work(io)));
  }

  #informerOf(watched: Watched): Informer<KubeObject> {
    const informer = this.#options.client.informer(watched.kind, watched.options);
    if (!watched.options) this.#informers.set(kindId(watched.kind), informer);
    return informer;
  }

  #handlerOf(watched: Watched, io: ControllerIO) {
    const keysOf = watched.keys ?? ((object: KubeObject) => [keyOf(object)]);
    const tell = (object: KubeObject, old: KubeObject | undefined): void => {
      const gatherMs = watched.gatherMs?.(object, old) ?? 0;
      for (const key of keysOf(object, old, io)) this.#queue.addAfter(key, gatherMs);
      this.#options.metrics?.queueDepth(this.#controller.name, this.#queue.depth);
    };
    return {
      added: (object: KubeObject) => tell(object, undefined),
      updated: tell,
      deleted: (old: KubeObject) => tell(old, undefined),
    };
  }

  async #work(io: ControllerIO): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      this.#options.metrics?.queueDepth(this.#controller.name, this.#queue.depth);
      await this.#reconcile(key, io);
      this.#queue.done(key);
    }
  }

  async #reconcile(key: ObjectKey, io: ControllerIO): Promise<void> {
    await this.#writes.get(key)?.shown();
    if (this.#signal.aborted) return;
    const writes = new Writes(this.#informers);
    const client = new TrackedClient({ client: this.#client, reader: this.#options.client, writes, signal: this.#signal });
    const log = io.log.child({ key });
    const startMs = this.#options.clock.monotonic();
    const result = await this.#attempt(key, { ...io, client, log });
    const ms = this.#options.clock.monotonic() - startMs;
    this.#options.metrics?.reconciled(this.#controller.name, result, ms / 1000);
    if (log.isDebug) log.debug({ result, ms: Math.round(ms) }, 'reconciled');
    if (writes.areShown) this.#writes.delete(key);
    else this.#writes.set(key, writes);
  }

  async #attempt(key: ObjectKey, io: ControllerIO): Promise<ReconcileResult> {
    try {
      const outcome = await this.#controller.reconcile(key, io);
      this.#queue.forget(key);
      if (!outcome || !(outcome.requeueAfterMs > 0)) return 'success';
      this.#queue.addAfter(key, outcome.requeueAfterMs);
      return 'requeue_after';
    } catch (error) {
      if (this.#signal.aborted) return 'error';
      if (error instanceof TerminalError) {
        this.#queue.forget(key);
        io.log.error({ error }, 'reconcile failed for good');
        return 'terminal_error';
      }
      // An everyday matter: the cache was a little behind.
      if (isConflict(error) || isNotFound(error)) io.log.debug({ error }, 'changed or gone meanwhile, trying again');
      else io.log.warn({ error, failures: this.#queue.failures(key) + 1 }, 'reconcile failed, trying again');
      this.#queue.retry(key);
      return 'error';
    }
  }
}
