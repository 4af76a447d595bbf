/** Work that is done in steps: a `yield` is where whoever does it may let others have their turn, `yield longWork` where he has to. */
export type Steps<T> = Generator<undefined | typeof longWork, T, undefined>;

/** What comes is long, however small that is which the work is about. */
export const longWork = Symbol('long work');

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
  /** Counts one part, or several. */
  isDue(parts = 1): boolean {
    this.#done += parts;
    if (this.#done < this.#atOnce) return false;
    this.#done = 0;
    return true;
  }
}
