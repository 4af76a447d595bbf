/** The objects of one namespace (or of a cluster-scoped kind) by name. The sorted order is made on first use and kept from then on. */
import { lowerBound } from '../../store/ordered-map.ts';
import type { StoredObject } from './stored-object.ts';

export class SortedObjects {
  readonly #byName = new Map<string, StoredObject>();
  #names: string[] | undefined;

  get size(): number {
    return this.#byName.size;
  }
  get(name: string): StoredObject | undefined {
    return this.#byName.get(name);
  }
  values(): IterableIterator<StoredObject> {
    return this.#byName.values();
  }

  set(name: string, object: StoredObject): void {
    const sizeBefore = this.#byName.size;
    this.#byName.set(name, object);
    if (this.#names && this.#byName.size !== sizeBefore) this.#names.splice(lowerBound(this.#names, name), 0, name);
  }

  delete(name: string): void {
    if (this.#byName.delete(name) && this.#names) this.#names.splice(lowerBound(this.#names, name), 1);
  }

  /** In order of name, those after `startAfter` only. */
  *sorted(startAfter?: string): IterableIterator<StoredObject> {
    const order = this.#order();
    // A copy of the order: the caller may take turns while the objects change.
    const names = order.slice(startAfter === undefined ? 0 : upperBound(order, startAfter));
    for (const name of names) {
      const object = this.#byName.get(name);
      if (object) yield object;
    }
  }

  countAfter(name: string): number {
    const order = this.#order();
    return order.length - upperBound(order, name);
  }

  #order(): string[] {
    this.#names ??= [...this.#byName.keys()].sort();
    return this.#names;
  }
}

function upperBound(names: readonly string[], name: string): number {
  const at = lowerBound(names, name);
  return names[at] === name ? at + 1 : at;
}
