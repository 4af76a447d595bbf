/** Stores that earlier programs wrote, kept as text (scripts/make-old-store.ts), and what is in a store, to compare. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';
import type { KeyValue, Storage } from '../../../src/control-plane/store/storage.ts';

/** What was in it, as the program that wrote it read it. */
export interface StoreContents {
  readonly revision: number;
  readonly compactedRevision: number;
  /** by revision: the objects as of then */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  readonly events: readonly string[];
}

export interface OldStore extends StoreContents {
  readonly about: string;
  readonly format: number;
  readonly data: string;
}

export const oldFormats = [1, 2] as const;

export function readOldStore(format: (typeof oldFormats)[number]): OldStore {
  return JSON.parse(readFileSync(new URL(`data/format-${format}.json`, import.meta.url), 'utf8')) as OldStore;
}

/** As it lay on the disk. */
export function layOut({ data }: OldStore, path: string): void {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'data.mdb'), gunzipSync(Buffer.from(data, 'base64')));
  writeFileSync(join(path, 'in-use'), '');
}

const shownMax = 200;

function describe({ key, value, revision, createRevision, lease }: KeyValue): string {
  const text = Buffer.from(value).toString();
  const shown = text.length > shownMax ? `${text.length} characters, ${crc32(value)}` : text;
  return `${key}@${revision}+${createRevision}${lease === undefined ? '' : ` lease ${lease}`} ${shown}`;
}

/** In the words of all programs that this is asked of. */
export const revisionOf = async (store: Pick<Storage, 'range'>): Promise<number> =>
  (await store.range({ prefix: '', countOnly: true })).revision;

/** Every revision that can be read, and every event. */
export async function describeStore(store: Storage): Promise<StoreContents> {
  const { compactedRevision } = store;
  const revision = await revisionOf(store);
  const objects: Record<string, string[]> = {};
  for (let at = compactedRevision; at <= revision; at += 5) {
    const { items } = await store.range({ prefix: '', atRevision: at });
    objects[String(at)] = items.map(describe);
  }
  objects[String(revision)] = (await store.range({ prefix: '' })).items.map(describe);
  const events: string[] = [];
  for await (const batch of store.watch({ prefix: '', revision: compactedRevision }, new AbortController().signal)) {
    for (const { type, key, revision: at, current, previous } of batch.events)
      events.push(`${at} ${type} ${key} from ${previous?.revision ?? 0} to ${current ? describe(current) : 'nothing'}`);
    if (batch.revision === revision) break;
  }
  return { revision, compactedRevision, objects, events };
}
