/**
 * The one way to let a promise go that nobody waits for: the handler of a request, a loop, what a timer starts. Its
 * failure, thrown at once or later, ends in `failed`, which gives up that piece of work (answers, logs, closes) and
 * nothing else. The linter refuses `void promise` everywhere, so no failure is without such an end.
 */
export function detach(work: () => PromiseLike<unknown>, failed: (error: unknown) => void): void {
  try {
    work().then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
