/** `ObjectReader` over the watch cache. Kinds that the server does not serve are empty, for as long as it doesn't. */
import type { KindRef, KubeObject, ObjectName } from '../../../api/meta/object.ts';
import type { ObjectReader } from './reader.ts';
import type { CacheFollower } from './resource-cache.ts';
import type { ServedKind } from './served-kinds.ts';
import type { StoredObject } from './stored-object.ts';

/** Where objects are, of kinds as they come and go. */
export interface KindViews {
  view(kind: KindRef): Pick<ServedKind, 'cache' | 'asServed'> | undefined;
  follow(kind: KindRef, follower: CacheFollower): Disposable;
}

export function createObjectReader(kinds: KindViews): ObjectReader {
  return {
    get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined {
      const view = kinds.view(kind);
      const stored = view?.cache.get(kind.namespaced ? (at.namespace ?? '') : '', at.name);
      return stored && (view?.asServed(stored).object as T);
    },
    *list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T> {
      const view = kinds.view(kind);
      if (view) for (const stored of view.cache.values(namespace)) yield view.asServed(stored).object as T;
    },
    revision: (kind) => kinds.view(kind)?.cache.lastChange ?? 0,
    follow<T extends KubeObject>(kind: KindRef<T>, change: (object: T | undefined, old: T | undefined) => void): Disposable {
      let view = kinds.view(kind);
      const seen = (stored: StoredObject | undefined): T | undefined => stored && ((view?.asServed(stored) ?? stored).object as T);
      return kinds.follow(kind, (object, old) => {
        view = kinds.view(kind) ?? view; // what goes is told in the form in which it came
        change(seen(object), seen(old));
      });
    },
  };
}
