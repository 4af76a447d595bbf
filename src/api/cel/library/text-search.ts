/**
 * Finding a text in another, in time that grows with both, whatever they are: the engine's own search can take the one times
 * the other (Knuth, Morris and Pratt). Positions are JavaScript's.
 */

/** What the engine's search takes at most is still short. */
const comparisonsMax = 1_000_000;

export class TextSearch {
  readonly #sub: string;
  /** how much of `sub` is found again at the end of its first i characters */
  #borders: Int32Array | undefined;
  constructor(sub: string) {
    this.#sub = sub;
  }

  /** The first place at or after `from`; -1: none. */
  first(text: string, from = 0): number {
    if (this.#isSmall(text)) return text.indexOf(this.#sub, from);
    for (const place of this.#places(text, from)) return place;
    return -1;
  }

  /** The last place that is no later than `upTo`; -1: none. */
  last(text: string, upTo: number): number {
    if (this.#isSmall(text)) return text.lastIndexOf(this.#sub, upTo);
    let found = -1;
    for (const place of this.#places(text, 0)) {
      if (place > upTo) break;
      found = place;
    }
    return found;
  }

  #isSmall(text: string): boolean {
    return this.#sub.length <= 1 || text.length * this.#sub.length <= comparisonsMax;
  }

  /** All of them, those that overlap too. */
  *#places(text: string, from: number): Generator<number> {
    const sub = this.#sub;
    this.#borders ??= bordersOf(sub);
    const borders = this.#borders;
    let matched = 0;
    for (let i = from; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && sub.charCodeAt(matched) !== unit) matched = borders[matched] ?? 0;
      if (sub.charCodeAt(matched) === unit) matched += 1;
      if (matched === sub.length) {
        yield i + 1 - sub.length;
        matched = borders[matched] ?? 0;
      }
    }
  }
}

function bordersOf(sub: string): Int32Array {
  const borders = new Int32Array(sub.length + 1);
  let length = 0;
  for (let i = 1; i < sub.length; i += 1) {
    while (length > 0 && sub.charCodeAt(i) !== sub.charCodeAt(length)) length = borders[length] ?? 0;
    if (sub.charCodeAt(i) === sub.charCodeAt(length)) length += 1;
    borders[i + 1] = length;
  }
  return borders;
}
