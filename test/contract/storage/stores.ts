/** The implementations of `Storage` that the suite runs on, and small words for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { silentLog } from '../../../src/client/log.ts';
import { openLmdbStore } from '../../../src/control-plane/store/lmdb-store.ts';
import { ManagedPart } from '../../../src/control-plane/store/managed-part.ts';
import { openMemoryStore } from '../../../src/control-plane/store/memory-store.ts';
import type { CommitResult, KeyValue, Op, Revision, Storage, StoreEvent, StoreEvents } from '../../../src/control-plane/store/storage.ts';
import type { StoreOptions } from '../../../src/control-plane/store/store-options.ts';
import { etcdImplementation } from './etcd.ts';

export interface Implementation {
  readonly name: string;
  /** why it can't be run here */
  readonly missing?: string | false;
  /** Commits that are under way at the same time come in any order. And it is slow: properties are tried on fewer examples. */
  readonly isRemote?: boolean;
  /** what it does not promise: the name of a test, and the reason */
  readonly skips?: Readonly<Record<string, string>>;
  open(options: StoreOptions): Promise<Storage>;
  /** where stores outlive their closing */
  openAt?(path: string, options: StoreOptions): Promise<Storage>;
  /** ends what it has started for all stores */
  stop?(): Promise<void>;
}

type Test = (name: string, run: (t: TestContext) => Promise<void>) => void;

/** `it`, for what the implementation promises. */
export const itOf =
  ({ skips }: Implementation): Test =>
  (name, run) =>
    void it(name, { skip: skips?.[name] ?? false }, run);

const openLmdbStoreAt = (path: string, options: StoreOptions): Promise<Storage> => openLmdbStore({ ...options, path, log: silentLog });

export const implementations: readonly Implementation[] = [
  { name: 'memory', open: (options) => Promise.resolve(openMemoryStore(options)) },
  { name: 'LMDB', open: openTemporaryLmdbStore, openAt: openLmdbStoreAt },
  etcdImplementation(),
];

/** On a directory that goes when the store closes. */
async function openTemporaryLmdbStore(options: StoreOptions): Promise<Storage> {
  const directory = await temporaryDirectory();
  const store = await openLmdbStoreAt(directory.path, options);
  const close = store[Symbol.asyncDispose].bind(store);
  store[Symbol.asyncDispose] = async () => {
    await close();
    await directory[Symbol.asyncDispose]();
  };
  return store;
}

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'timonier-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);
export const part = (of: string): ManagedPart => ManagedPart.of(of);

/** `put a=1`, one key each. */
export function put(key: string, value: string, more: Omit<Op, 'key' | 'put'> = {}): Op {
  return { key, put: bytes(value), ...more };
}

/** The revision of a commit that has to succeed. */
export async function committed(store: Storage, ...ops: readonly Op[]): Promise<Revision> {
  return revisionOf(await store.commit(ops));
}

export function revisionOf(result: CommitResult): Revision {
  if (!result.ok) throw new Error(`lost: ${JSON.stringify(result)}`);
  return result.revision;
}

/** `a=1@2+2`: key, value, revision and revision of creation; `a=1&m@2+2` with a managed part. */
export function describeItem(item: KeyValue): string {
  const managed = item.managed ? `&${item.managed}` : '';
  return `${item.key}=${text(item.value)}${managed}@${item.revision}+${item.createRevision}`;
}

/** `put a=1@2+2 was a=0@1+1`, `delete a@3 was a=1@2+2` */
export function describeEvent({ type, key, revision, current, previous }: StoreEvent): string {
  const now = current ? describeItem(current) : `${key}@${revision}`;
  return `${type} ${now}${previous ? ` was ${describeItem(previous)}` : ''}`;
}

export async function list(store: Storage, prefix: string, atRevision?: Revision): Promise<string[]> {
  const { items } = await store.range({ prefix, ...(atRevision !== undefined && { atRevision }) });
  return items.map(describeItem);
}

/** Reads batches until `count` events have come. */
export async function takeEvents(batches: AsyncIterable<StoreEvents>, count: number): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  if (count === 0) return events;
  for await (const batch of batches) {
    events.push(...batch.events);
    if (events.length >= count) break;
  }
  return events;
}
