/** Objects by derived values: what an informer keeps for its namespaces and for each named index. */
import type { KubeObject, ObjectKey } from '../../api/meta/object.ts';

const none: readonly never[] = [];

interface Bucket<T> {
  readonly objects: Map<ObjectKey, T>;
  /** made when asked for, dropped on change */
  list?: readonly T[] | undefined;
}

export class ObjectIndex<T extends KubeObject> {
  readonly #valuesOf: (object: T) => readonly string[];
  readonly #buckets = new Map<string, Bucket<T>>();

  constructor(valuesOf: (object: T) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  /** The key's object was `old` and is `object` now; either may be missing. */
  change(key: ObjectKey, object: T | undefined, old: T | undefined): void {
    const values = object ? this.#valuesOf(object) : none;
    if (old) {
      for (const value of this.#valuesOf(old)) if (!values.includes(value)) this.#remove(value, key);
    }
    if (object) for (const value of values) this.#put(value, key, object);
  }

  list(value: string): readonly T[] {
    const bucket = this.#buckets.get(value);
    if (!bucket) return none;
    bucket.list ??= [...bucket.objects.values()];
    return bucket.list;
  }

  #put(value: string, key: ObjectKey, object: T): void {
    let bucket = this.#buckets.get(value);
    if (!bucket) {
      bucket = { objects: new Map() };
      this.#buckets.set(value, bucket);
    }
    bucket.objects.set(key, object);
    bucket.list = undefined;
  }

  #remove(value: string, key: ObjectKey): void {
    const bucket = this.#buckets.get(value);
    if (!bucket?.objects.delete(key)) return;
    bucket.list = undefined;
    if (bucket.objects.size === 0) this.#buckets.delete(value);
  }
}
