/**
 * The watch cache of one stored resource: every object as of the cache's revision, the last events, and the watchers.
 *
 * Guarantees: an event costs what its interested watchers cost (they are indexed by namespace, name and one field of
 * the kind's choice, `spec.nodeName` of pods); events reach every watcher in order of revision; the ring of past
 * events is bounded, what is older comes from the store's history (watch.ts). Once it is closed, because its resource is
 * gone, it stays as it was: who began with it can read to his end, and every watch of it ends.
 * Upstream: apiserver/pkg/storage/cacher.
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import type { KeyValue, Revision, StoreEvent } from '../../store/storage.ts';
import { CacheEvent } from './cache-event.ts';
import { SortedObjects } from './sorted-objects.ts';
import { StoredObject } from './stored-object.ts';

/** Past events kept per resource. */
export const eventRingMax = 1024;

/** What a watcher is indexed by: the first of these that is there. */
export interface WatchScope {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** the value of the cache's indexed field */
  readonly indexed?: string | undefined;
}

export interface CacheWatcher {
  readonly scope: WatchScope;
  /** Called in order of revision; must not throw. */
  take(event: CacheEvent): void;
  /** The cache can't go on: the watcher ends and the client lists again. */
  end(): void;
}

export type CacheFollower = (object: StoredObject | undefined, old: StoredObject | undefined) => void;

export interface ResourceCacheOptions {
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly indexedField?: ((object: KubeObject) => string) | undefined;
  readonly bulkyFields?: readonly string[] | undefined;
}

export class ResourceCache {
  /** `/registry/pods/` */
  readonly prefix: string;
  readonly namespaced: boolean;
  readonly #bulkyFields: readonly string[];
  /** the last bulky object that is being compressed: one at a time */
  #packing: Promise<void> = Promise.resolve();
  readonly #indexedField: ((object: KubeObject) => string) | undefined;
  readonly #namespaces = new Map<string, SortedObjects>();
  readonly #ring: CacheEvent[] = [];
  #ringStart = 0;
  /** Every event after this revision is in the ring. */
  #ringFloor: Revision = 0;
  #loadedAt: Revision = 0;
  #lastChange: Revision = 0;
  #size = 0;
  #isClosed: boolean = false;
  /** all that have begun, those too that are not live yet, or pause */
  readonly #begun = new Set<Pick<CacheWatcher, 'end'>>();
  readonly #watchers = new Set<CacheWatcher>();
  readonly #broad = new Set<CacheWatcher>();
  readonly #byNamespace = new Map<string, Set<CacheWatcher>>();
  readonly #byName = new Map<string, Set<CacheWatcher>>();
  readonly #byField = new Map<string, Set<CacheWatcher>>();
  readonly #followers = new Set<CacheFollower>();

  constructor(given: ResourceCacheOptions) {
    this.prefix = given.prefix;
    this.namespaced = given.namespaced;
    this.#indexedField = given.indexedField;
    this.#bulkyFields = given.bulkyFields ?? [];
  }

  get isBulky(): boolean {
    return this.#bulkyFields.length > 0;
  }

  /** Resolves when all is compressed that it holds now. */
  get packed(): Promise<void> {
    return this.#packing;
  }

  get size(): number {
    return this.#size;
  }
  get watcherCount(): number {
    return this.#watchers.size;
  }
  /** The revision of the last change of this resource that the cache has seen. */
  get lastChange(): Revision {
    return this.#lastChange;
  }
  /** What happened up to here is in what was loaded. */
  get loadedAt(): Revision {
    return this.#loadedAt;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }
  get indexesField(): boolean {
    return this.#indexedField !== undefined;
  }

  get(namespace: string, name: string): StoredObject | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  byKey(key: string): StoredObject | undefined {
    const { namespace, name } = this.#split(key);
    return this.get(namespace, name);
  }

  /** Unordered; the caller does not wait in between. */
  *values(namespace?: string): IterableIterator<StoredObject> {
    if (namespace !== undefined) {
      const objects = this.#namespaces.get(namespace);
      if (objects) yield* objects.values();
      return;
    }
    for (const objects of this.#namespaces.values()) yield* objects.values();
  }

  /** In the store's order of keys; `startAfter` is the part of a key after the prefix. */
  *sorted(namespace: string | undefined, startAfter?: string): IterableIterator<StoredObject> {
    if (!this.namespaced) {
      yield* this.#namespaces.get('')?.sorted(startAfter) ?? [];
      return;
    }
    const slash = startAfter?.indexOf('/') ?? -1;
    const afterNamespace = startAfter?.slice(0, slash + 1);
    const names = namespace === undefined ? [...this.#namespaces.keys()].map((n) => `${n}/`).sort() : [`${namespace}/`];
    for (const name of names) {
      if (afterNamespace !== undefined && name < afterNamespace) continue;
      const objects = this.#namespaces.get(name.slice(0, -1));
      if (objects) yield* objects.sorted(name === afterNamespace ? startAfter?.slice(slash + 1) : undefined);
    }
  }

  /** How many `sorted` would give. */
  countAfter(namespace: string | undefined, startAfter: string): number {
    if (!this.namespaced) return this.#namespaces.get('')?.countAfter(startAfter) ?? 0;
    const slash = startAfter.indexOf('/');
    const afterNamespace = startAfter.slice(0, slash + 1);
    let count = 0;
    for (const [name, objects] of this.#namespaces) {
      if ((namespace !== undefined && name !== namespace) || `${name}/` < afterNamespace) continue;
      count += `${name}/` === afterNamespace ? objects.countAfter(startAfter.slice(slash + 1)) : objects.size;
    }
    return count;
  }

  /** How many objects a namespace (or all of them) has. */
  count(namespace?: string): number {
    return namespace === undefined ? this.#size : (this.#namespaces.get(namespace)?.size ?? 0);
  }

  /** Puts in what a list of the store gave, before any event. */
  load(stored: Iterable<KeyValue>, revision: Revision): void {
    for (const kv of stored) this.#put(StoredObject.from(kv, this.#bulkyFields));
    this.#ringFloor = revision;
    this.#loadedAt = revision;
    this.#lastChange = Math.max(this.#lastChange, revision);
  }

  apply(event: StoreEvent): void {
    const { namespace, name } = this.#split(event.key);
    const previous = this.#namespaces.get(namespace)?.get(name);
    const current = event.current && StoredObject.from(event.current, this.#bulkyFields);
    if (!current && !previous) return;
    if (current) this.#put(current);
    else this.#remove(namespace, name);
    this.#lastChange = event.revision;
    const change = new CacheEvent(event.revision, current, previous);
    this.#remember(change);
    for (const follower of this.#followers) follower(current, previous);
    this.#dispatch(change, namespace, name);
  }

  /** Events after `revision`, or undefined when the ring no longer has them all. */
  eventsSince(revision: Revision): readonly CacheEvent[] | undefined {
    if (revision < this.#ringFloor) return undefined;
    const events: CacheEvent[] = [];
    for (let i = this.#ring.length - 1; i >= 0; i--) {
      const event = this.#ring[(this.#ringStart + i) % this.#ring.length];
      if (!event || event.revision <= revision) break;
      events.push(event);
    }
    return events.reverse();
  }

  /** From here on the watcher is ended when it can't go on; false: it can't even begin. */
  begin(watcher: Pick<CacheWatcher, 'end'>): boolean {
    if (this.#isClosed) return false;
    this.#begun.add(watcher);
    return true;
  }

  /** The watcher has ended. */
  leave(watcher: Pick<CacheWatcher, 'end'>): void {
    this.#begun.delete(watcher);
  }

  /** Tells it events from now on. */
  addWatcher(watcher: CacheWatcher): Disposable {
    const remove = this.#index(watcher);
    this.#watchers.add(watcher);
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(watcher);
        remove();
      },
    };
  }

  follow(follower: CacheFollower): Disposable {
    for (const object of this.values()) follower(object, undefined);
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => this.#followers.delete(follower) };
  }

  endWatchers(): void {
    for (const watcher of [...this.#begun]) watcher.end();
  }

  /** No event comes any more. For followers, every object is gone. */
  close(): void {
    this.#isClosed = true;
    this.endWatchers();
    for (const follower of this.#followers) for (const object of this.values()) follower(undefined, object);
    this.#followers.clear();
  }

  #put(object: StoredObject): void {
    const { namespace, name } = this.#split(object.key);
    let objects = this.#namespaces.get(namespace);
    if (!objects) {
      objects = new SortedObjects();
      this.#namespaces.set(namespace, objects);
    }
    this.#size -= objects.size;
    objects.set(name, object);
    this.#size += objects.size;
    if (this.isBulky) this.#packing = this.#packing.then(() => object.pack()).catch(() => undefined); // it stays as it is
  }

  #remove(namespace: string, name: string): void {
    const objects = this.#namespaces.get(namespace);
    if (!objects) return;
    this.#size -= objects.size;
    objects.delete(name);
    this.#size += objects.size;
    if (objects.size === 0) this.#namespaces.delete(namespace);
  }

  #remember(event: CacheEvent): void {
    if (this.#ring.length < eventRingMax) {
      this.#ring.push(event);
      return;
    }
    this.#ringFloor = this.#ring[this.#ringStart]?.revision ?? this.#ringFloor;
    this.#ring[this.#ringStart] = event;
    this.#ringStart = (this.#ringStart + 1) % eventRingMax;
  }

  #dispatch(event: CacheEvent, namespace: string, name: string): void {
    if (this.#watchers.size === 0) return;
    tell(this.#broad, event);
    tell(this.#byNamespace.get(namespace), event);
    tell(this.#byName.get(`${namespace}/${name}`), event);
    if (this.namespaced) tell(this.#byName.get(`*/${name}`), event);
    if (this.#indexedField && this.#byField.size > 0) {
      const now = event.current && this.#indexedField(event.current.object);
      const before = event.previous && this.#indexedField(event.previous.object);
      if (now !== undefined) tell(this.#byField.get(now), event);
      if (before !== undefined && before !== now) tell(this.#byField.get(before), event);
    }
  }

  #index(watcher: CacheWatcher): () => void {
    const { namespace, name, indexed } = watcher.scope;
    if (name !== undefined) return addTo(this.#byName, `${namespace ?? (this.namespaced ? '*' : '')}/${name}`, watcher);
    if (indexed !== undefined && this.#indexedField) return addTo(this.#byField, indexed, watcher);
    if (namespace !== undefined && this.namespaced) return addTo(this.#byNamespace, namespace, watcher);
    this.#broad.add(watcher);
    return () => this.#broad.delete(watcher);
  }

  #split(key: string): { namespace: string; name: string } {
    if (!this.namespaced) return { namespace: '', name: key.slice(this.prefix.length) };
    const slash = key.indexOf('/', this.prefix.length);
    return { namespace: key.slice(this.prefix.length, slash), name: key.slice(slash + 1) };
  }
}

function tell(watchers: Set<CacheWatcher> | undefined, event: CacheEvent): void {
  if (watchers) for (const watcher of watchers) watcher.take(event);
}

function addTo(index: Map<string, Set<CacheWatcher>>, value: string, watcher: CacheWatcher): () => void {
  let watchers = index.get(value);
  if (!watchers) {
    watchers = new Set();
    index.set(value, watchers);
  }
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) index.delete(value);
  };
}
