/**
 * What a store's file has to be before LMDB opens it, and what it has to hold after: a torn or foreign file would end the
 * process, a damaged one would silently have fewer keys.
 *
 * What it does not do: check sums of values. A damaged page inside of a table is found when it is read.
 */
import { open } from 'node:fs/promises';
import type { Database } from 'lmdb';

/** Of LMDB's meta pages, which are the first two of the file: a page's header, then the mark, the version, addresses, the page size. */
const markOffset = 24;
const mark = 0xbeefc0de;
const pageSizeOffset = 48;
const metaBytes = 200;

/** Why the file is none of ours; undefined: it is, or there is none yet. */
export async function describeDamage(file: string, pageBytes: number): Promise<string | undefined> {
  const bytes = await readStart(file, 2 * pageBytes);
  if (bytes.length === 0) return undefined;
  if (bytes.length < pageBytes + metaBytes) return 'it is torn off at its beginning';
  const isMeta = (at: number): boolean =>
    bytes.readUInt32LE(at + markOffset) === mark && bytes.readUInt32LE(at + pageSizeOffset) === pageBytes;
  // One of the two may never have been written.
  const isEmpty = bytes.readUInt32LE(pageBytes + markOffset) === 0;
  return isMeta(0) && (isEmpty || isMeta(pageBytes)) ? undefined : 'it does not begin as a store does';
}

/** Whether a table has as many records as it says. */
export function isComplete(table: Database<Buffer, string> | Database<Buffer, number>): boolean {
  const { entryCount } = table.getStats() as { readonly entryCount: number };
  return table.getKeysCount() === entryCount;
}

async function readStart(path: string, length: number): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position: 0 });
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
