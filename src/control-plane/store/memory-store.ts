/**
 * The store in memory: for tests, for clusters embedded in a test process, and for throw-away ones. The same engine as
 * the durable store; a commit resolves in the turn of the event loop in which it was made, except after many in one turn.
 */
import { StoreEngine } from './engine.ts';
import { MemoryTables } from './memory-tables.ts';
import type { Storage } from './storage.ts';
import type { StoreOptions } from './store-options.ts';

export function openMemoryStore(options: StoreOptions): Storage {
  return new StoreEngine(new MemoryTables(), options);
}
