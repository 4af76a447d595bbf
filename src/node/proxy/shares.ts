/**
 * What several ports share, a bounded number of something. While there is room, any port takes what it wants; when there
 * is none, a port that has less than another takes one from the port that has the most. So no port, nor any number of
 * them, leaves another one without.
 */
export class Shares<T> {
  readonly #max: number;
  readonly #held = new Map<number, Set<T>>();
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Which port has to give one up before `port` takes another, perhaps `port` itself; undefined: there is room. */
  giverFor(port: number): number | undefined {
    if (this.#count < this.#max) return undefined;
    let giver = port;
    for (const [other, held] of this.#held) if (held.size > this.of(giver).size) giver = other;
    return giver;
  }

  /** What a port has, in the order in which it took it. */
  of(port: number): ReadonlySet<T> {
    return this.#held.get(port) ?? none;
  }

  /** What it has already becomes its last. */
  take(port: number, one: T): void {
    this.give(port, one);
    const held = this.#held.get(port) ?? new Set();
    this.#held.set(port, held.add(one));
    this.#count++;
  }

  give(port: number, one: T): void {
    const held = this.#held.get(port);
    if (!held?.delete(one)) return;
    this.#count--;
    if (held.size === 0) this.#held.delete(port);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const held of this.#held.values()) yield* held;
  }
}

const none: ReadonlySet<never> = new Set();
