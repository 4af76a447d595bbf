/**
 * The one implementation of `Informer`: list, then watch from the list's revision, for ever.
 *
 * It keeps the very objects it gets (in-process they are the server's own). A watch that the server ended is taken up
 * again from the last revision seen, bookmarks included; a lost connection after a back-off of 5 s at most; after 410 Expired
 * everything is listed again, and handlers are told the differences. An object that was deleted and made anew between
 * two looks is told as deleted and added.
 *
 * What it does not do: resync periodically. Controllers that need time ask for it themselves.
 * Upstream: client-go/tools/cache/reflector.go, shared_informer.go.
 */
import { apiVersionOf, type KindRef, type KubeObject, keyOf, type ObjectKey } from '../../api/meta/object.ts';
import { isExpired, isStatusError } from '../../api/meta/status-error.ts';
import { BackOff } from '../back-off.ts';
import type { Client, WatchEvent, WatchOptions } from '../client.ts';
import type { Clock, Random } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Informer, InformerHandler, InformerOptions, Written } from './informer.ts';
import { ObjectIndex } from './object-index.ts';

export interface InformerEnvironment {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** a watch can't be lost: it needs no end of its own, and no bookmarks */
  readonly watchesLast?: boolean | undefined;
}

export interface RunningInformer<T extends KubeObject> extends Informer<T>, AsyncDisposable {}

/** Of a server that refuses. Each delay is stretched up to its double. */
const refusedMs = { firstMs: 800, maxMs: 30_000 };
/** Of a server that does not answer, or not yet: it may be back at any moment, and nobody tells. Upstream waits as long as above. */
const awayMs = { firstMs: 800, maxMs: 2500 };
/** A watch that lived shorter than this, and said nothing, counts as a failure. */
const shortLifeMs = 1000;
/** The server is asked to end a watch after 5 to 10 minutes, so that a dead connection is noticed. */
const watchSecondsMin = 300;

export function createInformer<T extends KubeObject>(
  client: Pick<Client, 'list' | 'watch'>,
  kind: KindRef<T>,
  options: InformerOptions,
  environment: InformerEnvironment,
): RunningInformer<T> {
  return new InformerCache(client, kind, options, environment);
}

class InformerCache<T extends KubeObject> implements RunningInformer<T> {
  readonly synced: Promise<void>;
  readonly #client: Pick<Client, 'list' | 'watch'>;
  readonly #kind: KindRef<T>;
  readonly #options: InformerOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #watchesLast: boolean;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #objects = new Map<ObjectKey, T>();
  readonly #byNamespace = new ObjectIndex<T>((object) => [object.metadata.namespace ?? '']);
  readonly #indexes = new Map<string, ObjectIndex<T>>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #waiters = new Set<{ readonly write: Written; readonly resolve: () => void }>();
  readonly #firstList = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #all: readonly T[] | undefined;
  #isSynced: boolean = false;
  /** undefined: the next step is a list */
  #revision: string | undefined;

  constructor(client: Pick<Client, 'list' | 'watch'>, kind: KindRef<T>, options: InformerOptions, environment: InformerEnvironment) {
    this.#client = client;
    this.#kind = kind;
    this.#options = options;
    this.#clock = environment.clock;
    this.#random = environment.random;
    this.#watchesLast = environment.watchesLast ?? false;
    this.#log = environment.log.child({ informer: `${kind.resource}.${apiVersionOf(kind)}` });
    this.synced = this.#firstList.promise;
    // Nobody has to wait for `synced`: its rejection on an early stop must not count as unhandled.
    this.synced.catch(() => undefined);
    this.#running = this.#run();
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return this.#byNamespace.list(namespace);
    this.#all ??= [...this.#objects.values()];
    return this.#all;
  }

  index(name: string, keys: (object: T) => readonly string[]): (value: string) => readonly T[] {
    let index = this.#indexes.get(name);
    if (!index) {
      index = new ObjectIndex(keys);
      for (const [key, object] of this.#objects) index.change(key, object, undefined);
      this.#indexes.set(name, index);
    }
    return (value) => index.list(value);
  }

  on(handler: InformerHandler<T>): Disposable {
    this.#handlers.add(handler);
    for (const object of this.list()) this.#guard(() => handler.added?.(object));
    return { [Symbol.dispose]: () => this.#handlers.delete(handler) };
  }

  shows(write: Written): boolean {
    const object = this.#objects.get(write.key);
    if (write.resourceVersion === undefined) return object?.metadata.uid !== write.uid || object.metadata.deletionTimestamp !== undefined;
    const wanted = Number(write.resourceVersion);
    if (Number.isNaN(wanted) || Number(this.#revision ?? 0) >= wanted) return true;
    return object?.metadata.uid === write.uid && Number(object.metadata.resourceVersion) >= wanted;
  }

  whenShown(write: Written): Promise<void> {
    if (this.#stop.signal.aborted || this.shows(write)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.add({ write, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#handlers.clear();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters.clear();
    this.#firstList.reject(new Error(`informer of ${this.#kind.resource} stopped before its first list`));
  }

  async #run(): Promise<void> {
    const signal = this.#stop.signal;
    const refused = new BackOff(this.#random, refusedMs);
    const away = new BackOff(this.#random, awayMs);
    // A first turn, so that whoever made the informer can add its handlers before anything is told.
    await Promise.resolve();
    while (!signal.aborted) {
      const startMs = this.#clock.monotonic();
      let alive = false;
      let backOff = refused;
      try {
        if (!this.#revision) await this.#relist();
        alive = await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) this.#revision = undefined;
        if (!isStatusError(error) || error.code >= 500) backOff = away;
        this.#log.debug({ error }, 'list or watch failed');
      }
      if (alive || this.#clock.monotonic() - startMs >= shortLifeMs) for (const each of [refused, away]) each.reset();
      else if (!signal.aborted) await this.#clock.sleep(backOff.next(), signal).catch(() => undefined);
    }
  }

  async #relist(): Promise<void> {
    const list = await this.#client.list(this.#kind, { ...this.#options, signal: this.#stop.signal });
    const gone = new Map(this.#objects);
    for (const object of list.items) {
      gone.delete(keyOf(object));
      this.#put(object);
    }
    for (const object of gone.values()) this.#remove(object);
    this.#revision = list.metadata.resourceVersion;
    this.#tellWaiters();
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#firstList.resolve();
  }

  #untilItEnds(): Pick<WatchOptions, 'allowWatchBookmarks' | 'timeoutSeconds'> {
    return { allowWatchBookmarks: true, timeoutSeconds: Math.round(watchSecondsMin * (1 + this.#random.next())) };
  }

  /** Follows one watch to its end; whether it said anything. */
  async #follow(): Promise<boolean> {
    let alive = false;
    const events = this.#client.watch(this.#kind, {
      ...this.#options,
      resourceVersion: this.#revision ?? '',
      ...(this.#watchesLast ? {} : this.#untilItEnds()),
      signal: this.#stop.signal,
    });
    for await (const event of events) {
      if (this.#stop.signal.aborted) break;
      alive = true;
      this.#take(event);
    }
    return alive;
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'DELETED') this.#remove(event.object);
    else if (event.type !== 'BOOKMARK') this.#put(event.object);
    this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
    this.#tellWaiters();
  }

  #put(object: T): void {
    const key = keyOf(object);
    let old = this.#objects.get(key);
    if (old && old.metadata.uid !== object.metadata.uid) {
      this.#remove(old);
      old = undefined;
    }
    if (old && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#change(key, object, old);
    for (const handler of this.#handlers) {
      this.#guard(() => (old ? handler.updated?.(object, old) : handler.added?.(object)));
    }
  }

  /** Handlers get the last state that a DELETED event brought, or the last one seen. */
  #remove(last: T): void {
    const key = keyOf(last);
    const old = this.#objects.get(key);
    if (!old) return;
    this.#change(key, undefined, old);
    for (const handler of this.#handlers) this.#guard(() => handler.deleted?.(last));
  }

  #change(key: ObjectKey, object: T | undefined, old: T | undefined): void {
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    this.#all = undefined;
    this.#byNamespace.change(key, object, old);
    for (const index of this.#indexes.values()) index.change(key, object, old);
  }

  #tellWaiters(): void {
    for (const waiter of this.#waiters) {
      if (!this.shows(waiter.write)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #guard(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#log.error({ error }, 'informer handler failed');
    }
  }
}
