/** Many like calls, so that one that can't succeed is not made a thousand times. Upstream: slowStartBatch in pkg/controller/replicaset/replica_set.go. */

/**
 * Calls `count` times, in batches of 1, 2, 4, …: when the first fail (a quota, say) the rest is not even tried. Throws
 * the first error, after its batch has ended. Returns how many succeeded, which is all of them.
 */
export async function slowStart(count: number, call: (index: number) => Promise<unknown>): Promise<number> {
  let done = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done);
    const start = done;
    await settleAll(Array.from({ length: batch }, (_, i) => call(start + i)));
    done += batch;
  }
  return done;
}

/** Waits for all; then throws the first error, if there was one. */
export async function settleAll<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
