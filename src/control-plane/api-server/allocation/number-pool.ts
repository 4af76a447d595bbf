/**
 * Numbers from 0 that are handed out: at random from behind the static band, and from the band when nothing else is
 * left. What is held comes from two sources: the stored objects, and writes that are on their way.
 */
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Random } from '../../../client/clock.ts';

/** Who holds a reservation: the object, whatever its name will be. */
export const ownerOf = ({ metadata }: KubeObject): string => metadata.uid ?? '';

export class NumberPool {
  readonly size: number;
  readonly #staticSize: number;
  readonly #random: Random;
  /** how many stored objects hold a number: two, for a moment, while one takes over from another */
  readonly #stored = new Map<number, number>();
  /** by whom: only they give it back */
  readonly #reserved = new Map<number, string>();

  constructor(options: { readonly size: number; readonly staticSize: number; readonly random: Random }) {
    this.size = options.size;
    this.#staticSize = options.staticSize;
    this.#random = options.random;
  }

  isTaken(number: number): boolean {
    return this.#stored.has(number) || this.#reserved.has(number);
  }

  /** For a write on its way, until it is stored or failed. */
  reserve(number: number, owner: string): void {
    this.#reserved.set(number, owner);
  }
  unreserve(number: number, owner: string): void {
    if (this.#reserved.get(number) === owner) this.#reserved.delete(number);
  }

  stored(number: number): void {
    this.#reserved.delete(number);
    this.#stored.set(number, (this.#stored.get(number) ?? 0) + 1);
  }
  removed(number: number): void {
    const count = (this.#stored.get(number) ?? 0) - 1;
    if (count > 0) this.#stored.set(number, count);
    else this.#stored.delete(number);
  }

  /** Undefined when all are taken. */
  pick(): number | undefined {
    return this.#pickIn(this.#staticSize, this.size) ?? this.#pickIn(0, this.#staticSize);
  }

  #pickIn(from: number, to: number): number | undefined {
    const length = to - from;
    if (length <= 0) return undefined;
    const start = Math.floor(this.#random.next() * length);
    for (let step = 0; step < length; step++) {
      const number = from + ((start + step) % length);
      if (!this.isTaken(number)) return number;
    }
    return undefined;
  }
}
