/** Work that is done in steps: a `yield` is where whoever does it may let others have their turn. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** All steps at once. */
export function takeSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Says after how many parts of the work whoever does it may rest. */
export class Pace {
  readonly #atOnce: number;
  #done = 0;
  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }
  /** Counts one part. */
  isDue(): boolean {
    this.#done = (this.#done + 1) % this.#atOnce;
    return this.#done === 0;
  }
}
