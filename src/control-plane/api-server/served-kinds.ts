/**
 * A kind as this server serves it: where its objects are cached and stored, and how the stored version of one is seen
 * in the kind's own version. Made on first use per kind; custom resources come in the same way.
 */

import { holdsObjects, type KindSnapshot } from '../../api/kinds/kind-snapshot.ts';
import { fromStorage, type KindRegistry, toStorage } from '../../api/kinds/registry.ts';
import type { Kind } from '../../api/meta/kind.ts';
import { apiVersionOf, type KindRef, type KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';
import type { CachedResource, WatchCache } from './watch-cache.ts';

export class ServedKind {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly cache: ResourceCache;
  readonly #converts: boolean;

  constructor(kind: Kind, cache: ResourceCache) {
    this.kind = kind;
    this.apiVersion = apiVersionOf(kind);
    this.cache = cache;
    this.#converts = kind.convert !== undefined || this.apiVersion !== apiVersionOf(kind.storageVersion);
  }

  key(namespace: string | undefined, name: string): string {
    return this.kind.namespaced ? `${this.cache.prefix}${namespace ?? ''}/${name}` : this.cache.prefix + name;
  }

  /** What is stored, or undefined. */
  find(namespace: string | undefined, name: string): StoredObject | undefined {
    return this.cache.get(this.kind.namespaced ? (namespace ?? '') : '', name);
  }

  /** The stored object in this kind's version. */
  asServed(stored: StoredObject): StoredObject {
    return this.#converts ? stored.view(this.apiVersion, (object) => fromStorage(this.kind, object)) : stored;
  }

  toStored(object: KubeObject): KubeObject {
    return this.#converts ? toStorage(this.kind, object) : object;
  }
}

export class ServedKinds {
  readonly #registry: KindRegistry;
  readonly #cache: WatchCache;
  readonly #byKind = new WeakMap<Kind, ServedKind>();

  constructor(registry: KindRegistry, cache: WatchCache) {
    this.#registry = registry;
    this.#cache = cache;
  }

  /** What is served now. */
  get served(): KindSnapshot {
    return this.#registry.current;
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
    if (!served) {
      const cache = holdsObjects(kind) ? this.#cache.resource(kind.storagePrefix) : undefined;
      if (!cache) return undefined;
      served = new ServedKind(kind, cache);
      this.#byKind.set(kind, served);
    }
    return served;
  }

  /** Like `find`, for what the server itself reads. */
  view(ref: KindRef): ServedKind | undefined {
    const kind = this.served.byResource(ref.group, ref.version, ref.resource);
    return kind && this.find(kind);
  }
}

/** What the watch cache has to know of a kind. */
export function cachedResourceOf(kind: Kind): CachedResource {
  const { storagePrefix, namespaced } = kind;
  const indexed = kind.indexedField && kind.selectableFields.get(kind.indexedField);
  return { storagePrefix, namespaced, ...(indexed && { indexedField: indexed }) };
}
