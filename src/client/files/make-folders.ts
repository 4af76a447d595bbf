/** Makes a directory with those above it, one after the other: Node's own `recursive` never comes back from places like /proc/1, where none can be made. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The directory itself, or the nearest above it that is there. */
export function nearestThere(dir: string): string {
  let there = resolve(dir);
  while (!existsSync(there)) there = dirname(there);
  return there;
}

/** The topmost one that it made; undefined when all were there. Throws with the one that it can't make. */
export function makeFolders(dir: string, mode = 0o755): string | undefined {
  if (existsSync(dir)) return undefined;
  const first = makeFolders(dirname(dir), mode);
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // else somebody was quicker
  }
  return first ?? dir;
}
