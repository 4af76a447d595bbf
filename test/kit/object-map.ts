/** An ObjectReader over plain maps, filled by hand: what tests of authorization, admission and allocation read. */
import { type KindRef, type KubeObject, keyOf, type ObjectName } from '../../src/api/meta/object.ts';
import type { ObjectReader } from '../../src/control-plane/api-server/cache/reader.ts';

type Change = (object: KubeObject | undefined, old: KubeObject | undefined) => void;

export class ObjectMap implements ObjectReader {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #followers = new Map<string, Set<Change>>();
  #revision = 0;
  readonly #revisions = new Map<string, number>();

  put<T extends KubeObject>(kind: KindRef<T>, ...objects: readonly T[]): this {
    for (const object of objects) this.#change(kind, keyOf(object), object);
    return this;
  }
  delete(kind: KindRef, at: ObjectName): void {
    this.#change(kind, keyOf({ metadata: at }), undefined);
  }
  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName): T | undefined {
    return this.#of(kind).get(keyOf({ metadata: at })) as T | undefined;
  }
  *list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Iterable<T> {
    for (const object of this.#of(kind).values()) {
      if (namespace === undefined || object.metadata.namespace === namespace) yield object as T;
    }
  }
  revision(kind: KindRef): number {
    return this.#revisions.get(resourceKey(kind)) ?? 0;
  }
  follow<T extends KubeObject>(kind: KindRef<T>, change: (object: T | undefined, old: T | undefined) => void): Disposable {
    const handler = change as Change;
    for (const object of this.#of(kind).values()) handler(object, undefined);
    const followers = this.#followers.get(resourceKey(kind)) ?? new Set();
    this.#followers.set(resourceKey(kind), followers.add(handler));
    return { [Symbol.dispose]: () => followers.delete(handler) };
  }

  #of(kind: KindRef): Map<string, KubeObject> {
    const known = this.#objects.get(resourceKey(kind)) ?? new Map<string, KubeObject>();
    this.#objects.set(resourceKey(kind), known);
    return known;
  }
  #change(kind: KindRef, key: string, object: KubeObject | undefined): void {
    const objects = this.#of(kind);
    const old = objects.get(key);
    if (object) objects.set(key, object);
    else objects.delete(key);
    this.#revisions.set(resourceKey(kind), ++this.#revision);
    if (object || old) for (const follower of this.#followers.get(resourceKey(kind)) ?? []) follower(object, old);
  }
}

const resourceKey = (kind: KindRef): string => `${kind.group}/${kind.resource}`;
