/** Turns by word: who takes one waits until those who took the same word before are done, in their order. A turn may end twice. */
export class Turns {
  /** the end of the last turn taken, by word; only while there are any */
  readonly #last = new Map<string, Promise<void>>();

  async take(word: string): Promise<Disposable> {
    const before = this.#last.get(word);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(word, promise);
    await before;
    return {
      [Symbol.dispose]: () => {
        if (this.#last.get(word) === promise) this.#last.delete(word);
        resolve();
      },
    };
  }
}
