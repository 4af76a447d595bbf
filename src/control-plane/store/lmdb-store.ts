/**
 * The durable store: the engine over LMDB. What a commit has acknowledged is on disk, whatever happens to the process.
 * A second process on the same directory gets `StoreUnavailableError`.
 */
import type { Log } from '../../client/log.ts';
import { StoreEngine } from './engine.ts';
import { LmdbTables } from './lmdb-tables.ts';
import type { Storage } from './storage.ts';
import type { StoreOptions } from './store-options.ts';

export interface LmdbStoreOptions extends StoreOptions {
  /** a directory of the store's own; made if it is not there */
  readonly path: string;
  readonly log: Log;
  /** with less room than this on the disk the file keeps some in reserve; default 2 GiB */
  readonly reserveBelowBytes?: number | undefined;
}

export async function openLmdbStore(options: LmdbStoreOptions): Promise<Storage> {
  const startMs = options.clock.monotonic();
  const tables = await LmdbTables.open(options.path, options.reserveBelowBytes);
  const store = new StoreEngine(tables, options);
  const { path } = options;
  options.log.info(
    { path, revision: store.latestRevision(), compacted: store.compactedRevision, openMs: Math.round(options.clock.monotonic() - startMs) },
    'store opened',
  );
  return store;
}
