/** Work that is done in steps: a `yield` is where whoever does it may let others have their turn. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** All steps at once. */
export function takeSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
