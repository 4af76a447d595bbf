/**
 * A kind as this server serves it: where its objects are cached and stored, and how the stored version of one is seen
 * in the kind's own version. Made on first use per kind. Custom resources come, change and go here: registry and watch
 * cache together.
 */

import { type Backend, holdsObjects, type KindSnapshot, type ServedResource } from '../../../api/kinds/kind-snapshot.ts';
import { convertOne, customStoragePrefix, fromStorage, type KindRegistry, toStorage } from '../../../api/kinds/registry.ts';
import { isCustom, type Kind, type RemoteConversion } from '../../../api/meta/kind.ts';
import { apiVersionOf, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { CacheFollower, ResourceCache } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';
import type { CachedResource, WatchCache } from './watch-cache.ts';

/** Objects that somebody else is asked to convert at once. */
const conversionBatchMax = 100;

export class ServedKind {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly cache: ResourceCache;
  /** false: all that is stored is of this version. Of a custom resource the stored version may have been another. */
  readonly #converts: boolean;
  /** what is being converted elsewhere */
  readonly #converting = new Map<StoredObject, Promise<void>>();

  /** `asStored`: its objects are seen in whichever version they are stored, and nobody is asked to convert them. */
  constructor(kind: Kind, cache: ResourceCache, { asStored = false } = {}) {
    this.kind = asStored ? withoutConversion(kind) : kind;
    this.apiVersion = apiVersionOf(kind);
    this.cache = cache;
    this.#converts = !asStored && (isCustom(kind) || kind.convert !== undefined || this.apiVersion !== apiVersionOf(kind.storageVersion));
  }

  key(namespace: string | undefined, name: string): string {
    return this.kind.namespaced ? `${this.cache.prefix}${namespace ?? ''}/${name}` : this.cache.prefix + name;
  }

  /** What is stored, or undefined. */
  find(namespace: string | undefined, name: string): StoredObject | undefined {
    return this.cache.get(this.kind.namespaced ? (namespace ?? '') : '', name);
  }

  /** The stored object in this kind's version. Kinds that are converted elsewhere have `converted` it before. */
  asServed(stored: StoredObject): StoredObject {
    return this.#converts ? this.#view(stored) : stored;
  }

  #view(stored: StoredObject): StoredObject {
    const { kind } = this;
    const isSame = stored.object.apiVersion === this.apiVersion;
    if (isSame && !kind.convert) return stored;
    const known = stored.view(kind);
    if (known) return known;
    if (kind.convertRemotely && !isSame) throw new Error(`${stored.key} has not been converted to ${this.apiVersion}`);
    return stored.keepView(kind, fromStorage(kind, stored.object));
  }

  /** Makes these ready for `asServed`. Undefined: they are, as of all kinds that nobody else converts. */
  converted(objects: Iterable<StoredObject>): Promise<void> | undefined {
    const convert = this.kind.convertRemotely;
    if (!convert) return undefined;
    const missing = [...objects].filter((stored) => !this.#isReady(stored));
    return missing.length > 0 ? this.#convertAll(convert, missing) : undefined;
  }

  #isReady(stored: StoredObject): boolean {
    return stored.object.apiVersion === this.apiVersion || stored.view(this.kind) !== undefined;
  }

  /** One batch after the other. What others are waiting for already is asked for once. */
  async #convertAll(convert: RemoteConversion, missing: readonly StoredObject[]): Promise<void> {
    for (let i = 0; i < missing.length; i += conversionBatchMax) {
      const waiting = new Set<Promise<void>>();
      const batch: StoredObject[] = [];
      for (const stored of missing.slice(i, i + conversionBatchMax)) {
        const converting = this.#converting.get(stored);
        if (converting) waiting.add(converting);
        else if (!this.#isReady(stored)) batch.push(stored);
      }
      if (batch.length > 0) waiting.add(this.#convert(convert, batch));
      await Promise.all(waiting);
    }
  }

  #convert(convert: RemoteConversion, batch: readonly StoredObject[]): Promise<void> {
    const converting = Promise.resolve().then(() => this.#keepAll(convert, batch));
    for (const stored of batch) this.#converting.set(stored, converting);
    return converting;
  }

  async #keepAll(convert: RemoteConversion, batch: readonly StoredObject[]): Promise<void> {
    try {
      const given = batch.map(({ object }) => object);
      const objects = await convert(given, this.apiVersion);
      for (const [i, stored] of batch.entries()) {
        const object = objects[i];
        if (!object) throw errors.internal(`${batch.length} objects were to be converted, and ${objects.length} were`);
        stored.keepView(this.kind, object);
      }
    } finally {
      for (const stored of batch) this.#converting.delete(stored);
    }
  }

  /** Of a kind that is converted elsewhere, what is of the stored version; for the rest, `convertToStored`. */
  toStored(object: KubeObject): KubeObject {
    if (!this.#converts) return object;
    const { convertRemotely, storageVersion } = this.kind;
    if (convertRemotely && object.apiVersion !== apiVersionOf(storageVersion))
      throw new Error(`${object.apiVersion} is converted elsewhere`);
    return toStorage(this.kind, object);
  }

  /** The same, for what somebody else may have to convert. */
  async convertToStored(object: KubeObject): Promise<KubeObject> {
    const { convertRemotely, storageVersion } = this.kind;
    const apiVersion = apiVersionOf(storageVersion);
    if (!convertRemotely || object.apiVersion === apiVersion) return this.toStored(object);
    return await convertOne(convertRemotely, object, apiVersion);
  }
}

export class ServedKinds {
  readonly #registry: KindRegistry;
  readonly #cache: WatchCache;
  readonly #byKind = new WeakMap<Kind, ServedKind>();
  /** the last change of what is served: the next one waits for it */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(registry: KindRegistry, cache: WatchCache) {
    this.#registry = registry;
    this.#cache = cache;
  }

  /** What is served now. */
  get served(): KindSnapshot {
    return this.#registry.current;
  }

  /**
   * Serves a resource, or serves it in another way, to every request that comes after this resolves; what the store has
   * of it is there then. Requests that are under way go on with the kind that they began with, and its watches end, so
   * that their clients come again (`keepsWatches`: but they see nothing else). Throws for a resource that would change
   * its scope. One that is computed is served at once.
   */
  put(resource: ServedResource, { keepsWatches = false } = {}): Promise<void> {
    return this.#change(async () => {
      const { storagePrefix } = resource.stored;
      if (!holdsObjects(resource.stored)) return this.#registry.put(resource);
      const isNew = !this.#cache.resource(storagePrefix);
      await this.#cache.add(cachedResourceOf(resource.stored));
      try {
        this.#registry.put(resource);
      } catch (error) {
        if (isNew) this.#cache.remove(storagePrefix);
        throw error;
      }
      if (!isNew && !keepsWatches) this.#cache.resource(storagePrefix)?.endWatchers();
    });
  }

  /** The same for many that are not served yet. */
  putAll(resources: readonly ServedResource[]): Promise<void> {
    return this.#change(async () => {
      await Promise.all(resources.map(({ stored }) => this.#cache.add(cachedResourceOf(stored))));
      this.#registry.put(...resources);
    });
  }

  /** Its objects stay in the store; whoever added it removes them first, or adds it again later. False: it was not there. */
  remove({ group, resource }: Pick<Kind, 'group' | 'resource'>): Promise<boolean> {
    return this.#change(() => {
      const there = this.served.resource(group, resource);
      if (!there) return false;
      this.#registry.remove(there);
      this.#cache.remove(there.stored.storagePrefix);
      return true;
    });
  }

  /** Leaves a group-version to another server, from the next request on. */
  putBackend(backend: Backend): Promise<void> {
    return this.#change(() => {
      const hidden = this.served.list().filter(({ group, version }) => group === backend.group && version === backend.version);
      this.#registry.putBackend(backend);
      for (const kind of hidden) this.find(kind)?.cache.endWatchers();
    });
  }

  removeBackend(groupVersion: Pick<Backend, 'group' | 'version'>): Promise<boolean> {
    return this.#change(() => this.#registry.removeBackend(groupVersion));
  }

  #change<T>(change: () => T | Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => undefined); // told to whoever asked for it
    return changed;
  }

  /** The kind behind a reference; throws NotFound for one that isn't served. */
  kind(ref: KindRef): Kind {
    const kind = this.served.byResource(ref.group, ref.version, ref.resource);
    if (!kind) throw errors.pathNotFound();
    return kind;
  }

  /** Where a kind's objects are. Throws NotFound for a kind that is gone, MethodNotAllowed for one that holds none (reviews). */
  of(kind: Kind): ServedKind {
    const served = this.find(kind);
    if (served) return served;
    throw holdsObjects(kind) ? errors.pathNotFound() : errors.methodNotAllowed(kind, 'this verb');
  }

  find(kind: Kind): ServedKind | undefined {
    let served = this.#byKind.get(kind);
    if (!served || served.cache.isClosed) {
      const cache = holdsObjects(kind) ? this.#cache.resource(kind.storagePrefix) : undefined;
      if (!cache) return undefined;
      served = new ServedKind(kind, cache);
      this.#byKind.set(kind, served);
    }
    return served;
  }

  /** The objects of a resource as they are stored, for what looks at their metadata alone. Undefined: it is not there. */
  asStored({ group, resource }: Pick<Kind, 'group' | 'resource'>): ServedKind | undefined {
    const there = this.served.resource(group, resource);
    const cache = there && this.#cache.resource(there.stored.storagePrefix);
    return cache && new ServedKind(there.stored, cache, { asStored: true });
  }

  /** Like `find`, for what the server itself reads. No version: as stored. */
  view({ group, version, resource }: KindRef): Pick<ServedKind, 'cache' | 'asServed'> | undefined {
    if (version === '') {
      const there = this.served.resource(group, resource);
      const cache = there && this.#cache.resource(there.stored.storagePrefix);
      return cache && { cache, asServed: (stored) => stored };
    }
    const kind = this.served.byResource(group, version, resource);
    return kind && this.find(kind);
  }

  /** All that happens to the objects of a resource, from when it is served on, whenever that is. As stored. */
  follow(ref: KindRef, follower: CacheFollower): Disposable {
    const prefix = this.served.resource(ref.group, ref.resource)?.stored.storagePrefix ?? customStoragePrefix(ref);
    return this.#cache.follow(prefix, follower);
  }
}

/** The kind, but that its objects stay in the version in which they are. */
const withoutConversion = (kind: Kind): Kind =>
  Object.create(kind, { convert: { value: undefined }, convertRemotely: { value: undefined } }) as Kind;

/** What the watch cache has to know of a kind. */
export function cachedResourceOf(kind: Kind): CachedResource {
  const { storagePrefix, namespaced, bulkyFields } = kind;
  const indexedField = kind.indexedField ? kind.selectableFields.get(kind.indexedField) : undefined;
  return { storagePrefix, namespaced, indexedField, bulkyFields };
}
