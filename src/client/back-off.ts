/** Delays that double from `firstMs` to `maxMs`, each stretched by a random part, until reset. */
import type { Random } from './clock.ts';

export class BackOff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #maxMs: number;
  /** 1: a delay is stretched to at most its double */
  readonly #jitter: number;
  #nextMs: number;

  constructor(random: Random, options: { readonly firstMs: number; readonly maxMs: number; readonly jitter?: number }) {
    this.#random = random;
    this.#firstMs = options.firstMs;
    this.#maxMs = options.maxMs;
    this.#jitter = options.jitter ?? 1;
    this.#nextMs = options.firstMs;
  }

  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, this.#maxMs);
    return delayMs * (1 + this.#jitter * this.#random.next());
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
