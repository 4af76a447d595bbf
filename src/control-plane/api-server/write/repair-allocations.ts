/**
 * At the server's start: makes what is handed out agree with who holds it, before the first write. A store that this
 * version has written needs nothing; one of an older version has no claims and no IPAddress objects yet.
 * Upstream: pkg/registry/core/service/{ipallocator,portallocator}/controller (the repair loops' first run).
 */
import type { Op } from '../../store/storage.ts';
import type { VerbContext } from './verb-context.ts';

/** An attempt fails when another server on the store repairs, or writes, at the same time. */
const attemptsMax = 10;
/** of one commit: what etcd takes */
const opsAtOnce = 100;

export async function repairAllocations({ allocators, cache, storage, log }: VerbContext): Promise<void> {
  let repaired = 0;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const ops: Op[] = [...allocators.repairs()];
    if (ops.length === 0) break;
    for (let at = 0; at < ops.length; at += opsAtOnce) {
      const result = await storage.commit(ops.slice(at, at + opsAtOnce));
      await cache.caughtUp(result.ok ? result.revision : result.actual);
      if (!result.ok) break;
      repaired += Math.min(opsAtOnce, ops.length - at);
    }
  }
  if (repaired > 0) log.info({ repaired }, 'what is handed out was made to agree with who holds it');
}
