/** `ObjectReader` over the watch cache. Kinds that the server does not serve are empty. */
import type { KindRef, KubeObject, ObjectName } from '../../api/meta/object.ts';
import type { ObjectReader } from './reader.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';

/** Where a kind's objects are, and how the stored form of one is seen as this kind. */
export interface CacheView {
  readonly cache: ResourceCache;
  asServed(stored: StoredObject): StoredObject;
}

export function createObjectReader(viewOf: (kind: KindRef) => CacheView | undefined): ObjectReader {
  return {
    get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined {
      const view = viewOf(kind);
      const stored = view?.cache.get(kind.namespaced ? (at.namespace ?? '') : '', at.name);
      return stored && (view?.asServed(stored).object as T);
    },
    *list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T> {
      const view = viewOf(kind);
      if (view) for (const stored of view.cache.values(namespace)) yield view.asServed(stored).object as T;
    },
    revision: (kind) => viewOf(kind)?.cache.lastChange ?? 0,
    follow<T extends KubeObject>(kind: KindRef<T>, change: (object: T | undefined, old: T | undefined) => void): Disposable {
      const view = viewOf(kind);
      if (!view) return { [Symbol.dispose]: () => undefined };
      const see = (stored: StoredObject | undefined): T | undefined => stored && (view.asServed(stored).object as T);
      return view.cache.follow((object, old) => change(see(object), see(old)));
    },
  };
}
