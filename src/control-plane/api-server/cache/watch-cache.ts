/**
 * The watch cache: every stored resource in memory, as of one revision, kept current by one watch of the store.
 *
 * Guarantees: all resources show the same revision; `caughtUp(revision)` resolves when everything up to it is in the
 * cache and has been told to watchers, so whoever awaits it after a commit reads his own write; whoever awaits `fresh()`
 * reads everybody's, of other servers on the store too. When the store's watch fails, watchers are ended (clients list
 * again) and the cache is loaded anew; until then nothing is fresh. Resources come and go while others are watched:
 * between what is loaded of one and what is followed, no event is lost, and none is told twice.
 * Upstream: apiserver/pkg/storage/cacher (delegator, ready, watch_cache); KEP-2340 for consistent reads from the cache.
 */
import { setImmediate } from 'node:timers/promises';
import { errors } from '../../../api/meta/status-error.ts';
import type { Clock } from '../../../client/clock.ts';
import type { Log } from '../../../client/log.ts';
import { CompactedError, type Revision, type Storage, type StoreEvent } from '../../store/storage.ts';
import { type CacheFollower, ResourceCache } from './resource-cache.ts';
import { tooLargeResourceVersion } from './resource-version.ts';
import type { StoredObject } from './stored-object.ts';

export const registryPrefix = '/registry/';
const loadPageMax = 1000;
/** what is read at once holds everybody up */
const bulkyPageMax = 5;
/** A resource whose history is compacted away while it is read is read again. */
const loadAttemptsMax = 5;
const reloadDelayMs = 1000;
/** How long a read waits for what it wants to see. As upstream. */
const readWaitMs = 3000;

/** What the cache has to know of a stored resource. */
export interface CachedResource {
  /** `pods`, `services/specs` */
  readonly storagePrefix: string;
  readonly namespaced: boolean;
  readonly indexedField?: ((object: StoredObject['object']) => string) | undefined;
  /** see `StoredObject.from` */
  readonly bulkyFields?: readonly string[] | undefined;
}

interface Waiter {
  readonly revision: Revision;
  resolve(): void;
}

/** A resource on its way into the cache. */
interface Loading {
  /** what came of it since the loading began */
  events: StoreEvent[];
  /** The watch was broken off meanwhile: an event may be missing. */
  isTorn: boolean;
  done: Promise<void>;
}

const prefixOf = (storagePrefix: string): string => `${registryPrefix}${storagePrefix}/`;

export class WatchCache implements AsyncDisposable {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #loading = new Map<string, Loading>();
  /** of resources that are here or not, by prefix; with what ends their following of what is here */
  readonly #followers = new Map<string, Map<CacheFollower, Disposable | undefined>>();
  readonly #stop = new AbortController();
  #revision: Revision = 0;
  #running: Promise<void> = Promise.resolve();
  #healthy = false;
  readonly #waiting = new Set<Waiter>();
  #nextBatch: PromiseWithResolvers<void> | undefined;

  constructor(given: { storage: Storage; clock: Clock; log: Log }) {
    this.#storage = given.storage;
    this.#clock = given.clock;
    this.#log = given.log;
  }

  /** Everything up to this revision has been told. */
  get revision(): Revision {
    return this.#revision;
  }
  get healthy(): boolean {
    return this.#healthy;
  }
  /** Aborts when the cache stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  async start(resources: Iterable<CachedResource>): Promise<void> {
    this.#revision = await this.#storage.latestRevision();
    this.#running = this.#run();
    await Promise.all([...resources].map((resource) => this.add(resource)));
    this.#healthy = true;
  }

  /** Caches one more resource: resolves when all that the store has of it now can be read. Asked again, does nothing more. */
  add(resource: CachedResource): Promise<void> {
    const prefix = prefixOf(resource.storagePrefix);
    if (this.#resources.has(prefix)) return Promise.resolve();
    return this.#loading.get(prefix)?.done ?? this.#load(prefix, resource);
  }

  /** Forgets a resource that was added; what the store has of it stays there. Its watches end as when their time is over. */
  remove(storagePrefix: string): void {
    const prefix = prefixOf(storagePrefix);
    const cache = this.#resources.get(prefix);
    this.#resources.delete(prefix);
    cache?.close();
  }

  /** `ResourceCache.follow` of whatever is, or will be, cached under the prefix: a resource that goes, goes object by object. */
  follow(storagePrefix: string, follower: CacheFollower): Disposable {
    const prefix = prefixOf(storagePrefix);
    const followers = this.#followers.get(prefix) ?? new Map<CacheFollower, Disposable | undefined>();
    this.#followers.set(prefix, followers.set(follower, this.#resources.get(prefix)?.follow(follower)));
    return {
      [Symbol.dispose]: () => {
        followers.get(follower)?.[Symbol.dispose]();
        followers.delete(follower);
        if (followers.size === 0 && this.#followers.get(prefix) === followers) this.#followers.delete(prefix);
      },
    };
  }

  resource(storagePrefix: string): ResourceCache | undefined {
    return this.#resources.get(prefixOf(storagePrefix));
  }

  resources(): Iterable<ResourceCache> {
    return this.#resources.values();
  }

  /** Undefined when it is there already. */
  caughtUp(revision: Revision): Promise<void> | undefined {
    if (this.#revision >= revision || this.#stop.signal.aborted) return undefined;
    return new Promise((resolve) => this.#waiting.add({ revision, resolve }));
  }

  /**
   * Resolves when the cache shows all that was durable at the call, whoever wrote it. Undefined, and nothing is allocated,
   * when it does already: so it is when the store knows its revision and this server alone writes, but for the turn
   * between a batch's publication and its arrival here. Throws Timeout when it does not come in time, and the signal's
   * reason.
   */
  fresh(signal?: AbortSignal): Promise<void> | undefined {
    const latest = this.#storage.latestRevision();
    if (typeof latest === 'number' && this.#revision >= latest) return undefined;
    return this.#shown(latest, signal);
  }

  /** What a read with this resourceVersion has to wait for: nothing (0), that revision, or `fresh` (none). */
  behind(asked: Revision | undefined, signal: AbortSignal): Promise<void> | undefined {
    if (asked === undefined) return this.fresh(signal);
    return this.#revision >= asked ? undefined : this.#shown(asked, signal);
  }

  async #shown(wanted: Revision | Promise<Revision>, signal: AbortSignal = this.#stop.signal): Promise<void> {
    const ended = new AbortController();
    const waiter = { revision: Number.POSITIVE_INFINITY, ...Promise.withResolvers<void>() };
    const shown = async (): Promise<void> => {
      waiter.revision = await wanted;
      if (this.#revision >= waiter.revision || this.#stop.signal.aborted) return;
      this.#waiting.add(waiter);
      this.#storage.requestProgress();
      await waiter.promise;
    };
    try {
      await Promise.race([shown(), this.#clock.sleep(readWaitMs, AbortSignal.any([signal, ended.signal]))]);
    } finally {
      ended.abort();
      this.#waiting.delete(waiter);
    }
    if (waiter.revision === Number.POSITIVE_INFINITY) throw errors.timeout('the store has not told its revision');
    if (this.#revision < waiter.revision) throw tooLargeResourceVersion(waiter.revision, this.#revision);
  }

  /** Resolves when the cache takes in the next change of the store. */
  nextChange(): Promise<void> {
    this.#nextBatch ??= Promise.withResolvers();
    return this.#nextBatch.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (const cache of this.#resources.values()) cache.endWatchers();
    this.#wake(Number.POSITIVE_INFINITY);
  }

  async #run(): Promise<void> {
    const signal = this.#stop.signal;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#storage.watch({ prefix: registryPrefix, revision: this.#revision }, signal)) {
          for (const event of batch.events) this.#take(event);
          this.#revision = Math.max(this.#revision, batch.revision);
          this.#wake(this.#revision);
        }
        if (signal.aborted) return;
        this.#log.warn({}, 'the watch of the store ended');
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error({ error }, 'the watch of the store failed');
      }
      await this.#reload();
    }
  }

  #take(event: StoreEvent): void {
    const { loading, cache } = this.#placeOf(event.key);
    if (loading) loading.events.push(event);
    else if (cache && event.revision > cache.loadedAt) this.#apply(cache, event);
  }

  #apply(cache: ResourceCache, event: StoreEvent): void {
    try {
      cache.apply(event);
    } catch (error) {
      this.#log.error({ error, key: event.key }, 'an event of the store could not be applied');
    }
  }

  /** A prefix has one step (`/registry/pods/`) or two. */
  #placeOf(key: string): { readonly loading?: Loading | undefined; readonly cache?: ResourceCache | undefined } {
    const first = key.indexOf('/', registryPrefix.length) + 1;
    for (const end of [first, key.indexOf('/', first) + 1]) {
      const prefix = key.slice(0, end);
      const cache = this.#resources.get(prefix);
      if (cache) return { cache };
      const loading = this.#loading.size > 0 ? this.#loading.get(prefix) : undefined;
      if (loading) return { loading };
    }
    return {};
  }

  #load(prefix: string, resource: CachedResource): Promise<void> {
    const loading: Loading = { events: [], isTorn: false, done: Promise.resolve() };
    this.#loading.set(prefix, loading);
    loading.done = this.#loadAll(prefix, resource, loading);
    return loading.done;
  }

  async #loadAll(prefix: string, resource: CachedResource, loading: Loading): Promise<void> {
    try {
      for (let attempt = 1; ; attempt++) {
        loading.events = [];
        loading.isTorn = false;
        const { storagePrefix: _, ...how } = resource;
        const cache = new ResourceCache({ prefix, ...how });
        try {
          await this.#readAll(cache);
        } catch (error) {
          if (!(error instanceof CompactedError) || attempt >= loadAttemptsMax) throw error;
          continue;
        }
        if (loading.isTorn) continue;
        for (const event of loading.events) if (event.revision > cache.loadedAt) this.#apply(cache, event);
        this.#resources.set(prefix, cache);
        const followers = this.#followers.get(prefix);
        for (const follower of followers?.keys() ?? []) followers?.set(follower, cache.follow(follower));
        this.#loading.delete(prefix);
        await this.caughtUp(cache.loadedAt);
        return;
      }
    } finally {
      this.#loading.delete(prefix);
    }
  }

  /** As of one revision, which is the cache's from then on. */
  async #readAll(cache: ResourceCache): Promise<void> {
    let startAfter: string | undefined;
    let atRevision: Revision | undefined;
    let packing = cache.packed;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const page = await this.#storage.range({
        prefix: cache.prefix,
        limit: cache.isBulky ? bulkyPageMax : loadPageMax,
        startAfter,
        atRevision,
      });
      atRevision ??= page.revision;
      cache.load(page.items, atRevision);
      startAfter = page.items.at(-1)?.key;
      if (!page.more) return;
      // While one page is read, the one before it is compressed: there are never more that are not.
      await packing;
      packing = cache.packed;
      if (cache.isBulky) await setImmediate();
    }
  }

  /** After a failed watch: everything anew, with new caches under the same names. */
  async #reload(): Promise<void> {
    const signal = this.#stop.signal;
    this.#healthy = false;
    while (!signal.aborted) {
      await this.#clock.sleep(reloadDelayMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const revision = await this.#storage.latestRevision();
        for (const loading of this.#loading.values()) loading.isTorn = true;
        for (const cache of this.#resources.values()) {
          cache.endWatchers();
          await this.#reconcile(cache, revision);
        }
        this.#revision = revision;
        this.#wake(this.#revision);
        this.#healthy = true;
        return;
      } catch (error) {
        this.#log.error({ error }, 'the watch cache could not be loaded');
      }
    }
  }

  /** Brings a cache to the store's state at a revision, told as events, so that followers stay right. */
  async #reconcile(cache: ResourceCache, revision: Revision): Promise<void> {
    const page = await this.#storage.range({ prefix: cache.prefix, atRevision: revision });
    const there = new Map(page.items.map((kv) => [kv.key, kv]));
    for (const old of [...cache.values()]) {
      if (!there.has(old.key)) cache.apply({ type: 'delete', key: old.key, revision });
      else if (there.get(old.key)?.revision === old.revision) there.delete(old.key);
    }
    for (const [key, current] of there) cache.apply({ type: 'put', key, revision: current.revision, current });
    cache.load([], revision);
  }

  #wake(revision: Revision): void {
    this.#nextBatch?.resolve();
    this.#nextBatch = undefined;
    for (const waiter of this.#waiting) {
      if (waiter.revision > revision) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
