/**
 * Where the rest of the process has its turn: timers, signals, sockets. What goes on from promise to promise leaves them
 * none, however often it awaits.
 */

/** Resolves when the event loop has gone round to what was due. */
export async function nextTurn(): Promise<void> {
  for (let i = 0; i < checksPerRound; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The first check may come before the timers, the second comes after them. */
const checksPerRound = 2;
/** begun in one turn */
const sliceMax = 5;

export interface SliceOptions {
  /** under way at once */
  readonly atOnce: number;
  /** Aborted: no further one is begun. */
  readonly signal?: AbortSignal | undefined;
}

/** Acts on each, in their order, some in each turn. Those that are under way have ended when it resolves or rejects. */
export async function inSlices<T>(
  items: readonly T[],
  { atOnce, signal }: SliceOptions,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const begin = (item: T): void => {
    const acting = act(item)
      .then(
        () => undefined,
        (error: unknown) => {
          failure ??= { error };
        },
      )
      .finally(() => underWay.delete(acting));
    underWay.add(acting);
  };
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % sliceMax === 0) await nextTurn();
    while (underWay.size >= atOnce) await Promise.race(underWay);
    if (failure || signal?.aborted) break;
    begin(item);
  }
  await Promise.all(underWay);
  if (failure) throw failure.error;
  signal?.throwIfAborted();
}
