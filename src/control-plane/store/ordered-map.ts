/**
 * A map whose keys stay in order: sorted chunks of bounded size. Look-up and change cost a binary search and a move
 * within one chunk; appending at the end and walking on from a key are cheap, which is what logs and prefixes need.
 *
 * Order is that of `<`. Do not change it while walking it.
 */

const chunkSizeMax = 256;

interface Chunk<K, V> {
  keys: K[];
  values: V[];
}

export class OrderedMap<K extends string | number, V> {
  /** never empty chunks */
  readonly #chunks: Chunk<K, V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (!chunk) return undefined;
    const at = lowerBound(chunk.keys, key);
    return chunk.keys[at] === key ? chunk.values[at] : undefined;
  }

  set(key: K, value: V): void {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (!chunk) {
      this.#chunks.push({ keys: [key], values: [value] });
      this.#size++;
      return;
    }
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] === key) {
      chunk.values[at] = value;
      return;
    }
    this.#size++;
    if (at === chunk.keys.length) {
      chunk.keys.push(key);
      chunk.values.push(value);
    } else {
      chunk.keys.splice(at, 0, key);
      chunk.values.splice(at, 0, value);
    }
    if (chunk.keys.length > chunkSizeMax) this.#split(index, chunk);
  }

  delete(key: K): boolean {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (!chunk) return false;
    const at = lowerBound(chunk.keys, key);
    if (chunk.keys[at] !== key) return false;
    chunk.keys.splice(at, 1);
    chunk.values.splice(at, 1);
    this.#size--;
    if (chunk.keys.length === 0) this.#chunks.splice(index, 1);
    return true;
  }

  /** Entries whose key is at least `start`, in order. */
  *from(start: K): Generator<[K, V]> {
    const first = this.#chunkFor(start);
    for (let index = first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index];
      if (!chunk) return;
      for (let at = index === first ? lowerBound(chunk.keys, start) : 0; at < chunk.keys.length; at++) {
        yield [chunk.keys[at] as K, chunk.values[at] as V];
      }
    }
  }

  /** The last chunk that starts at or before the key; the first one, if none does. */
  #chunkFor(key: K): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.keys[0] as K) <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** A chunk filled at its end (a log) is left full; others are halved. */
  #split(index: number, chunk: Chunk<K, V>): void {
    const last = index === this.#chunks.length - 1;
    const at = last ? chunk.keys.length - 1 : chunk.keys.length >>> 1;
    this.#chunks.splice(index + 1, 0, { keys: chunk.keys.splice(at), values: chunk.values.splice(at) });
  }
}

/** Where a key is, or would be, among sorted ones. */
export function lowerBound<K>(keys: readonly K[], key: K): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as K) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
