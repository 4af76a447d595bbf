/**
 * The file of a store in its directory: whether it is whole, as far as it is looked at, and that only its owner reads it.
 * It is not opened as a store for that, and nothing is imported that only a store needs.
 */
import { closeSync, existsSync, fchmodSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeDamage, type Look } from './lmdb-check.ts';
import { StoreDamagedError } from './storage.ts';

export const fileName = 'data.mdb';
const lockName = 'lock.mdb';
/** Empty; that it is there says that the store was in use. */
const markName = 'in-use';
/** Three objects of 2 kB fit on one; LMDB gives what is larger than half a page its own pages. */
export const pageBytes = 8192;
/** Address space, not memory: a map that never has to grow is never there twice. */
export const mapBytes = 2 ** 36;

/** Throws `StoreDamagedError`. A file that was in use once does not come to nothing by itself. */
export function checkStoreFile(path: string, look: Look): void {
  const file = join(path, fileName);
  const isUsed = existsSync(join(path, markName));
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (isUsed && !bytes) throw new StoreDamagedError(`${file} is ${bytes === 0 ? 'empty' : 'gone'}, and it was a cluster's store`);
  const damage = describeDamage(file, { pageBytes, mapBytesMax: mapBytes }, look);
  if (damage) throw new StoreDamagedError(`the store in ${path} is damaged: ${damage}`);
}

/** LMDB would make its files readable to everybody. */
export function makePrivate(path: string): void {
  for (const name of [fileName, lockName]) touchPrivate(join(path, name));
}

function touchPrivate(file: string): void {
  const fd = openSync(file, 'a', 0o600);
  fchmodSync(fd, 0o600);
  closeSync(fd);
}

/** From now on the file has something in it. */
export const markUsed = (path: string): void => touchPrivate(join(path, markName));
