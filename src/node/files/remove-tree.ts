/**
 * Removes a directory with all that is in it, made by whomever: by descriptors, without recursion. What lies deeper is
 * first moved up into the directory that is being removed, so that nothing is ever deeper than two.
 *
 * Guarantees: links are removed, never followed; what is mounted is neither removed nor entered; memory and open
 * descriptors stay small for trees of any size and depth; what can't be removed does not keep the rest from going, and
 * is told by the error of the first.
 */
import type { Dirent } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FileGate } from './file-gate.ts';
import { type EntryName, HeldDirectory, ignoreMissing } from './held-directory.ts';

/** At each of them something was removed; a writer that does not end is given up on. */
const passesMax = 1_000_000;

/** Nothing there: nothing happens. The path's parents are the caller's own. */
export async function removeTree(path: string, gate: FileGate): Promise<void> {
  const parent = await ignoreMissing(HeldDirectory.open(dirname(path), gate));
  if (!parent) return;
  await using _ = parent;
  await removeEntry(parent, basename(path));
}

/** A file, link or directory. */
export async function removeEntry(parent: HeldDirectory, name: EntryName): Promise<void> {
  const removal = new Removal(parent);
  if (await removal.isGone(name)) return;
  await using top = await parent.directory(name);
  const inside = new Removal(top);
  for (let pass = 0; pass < passesMax; pass++) {
    const before = inside.removed;
    inside.failure = undefined;
    for await (const entry of top.entries()) await inside.remove(entry);
    if (await removal.isGone(name)) return;
    if (inside.removed === before) break;
  }
  throw inside.failure ?? Object.assign(new Error(`ENOTEMPTY: directory not empty, rmdir ${top.where}`), { code: 'ENOTEMPTY' });
}

interface Guess {
  readonly directory?: HeldDirectory;
  readonly likely?: 'directory' | 'file';
}

const likelyType = (entry: Dirent<Buffer>): 'directory' | 'file' => (entry.isDirectory() ? 'directory' : 'file');

class Removal {
  readonly #top: HeldDirectory;
  #moved = 0;
  removed = 0;
  failure: unknown;

  constructor(top: HeldDirectory) {
    this.#top = top;
  }

  /**
   * Removes it, unless it is a directory that is not empty. rmdir(2) refuses what is mounted, before it looks inside;
   * unlink(2) refuses directories.
   */
  async isGone(name: EntryName, { directory = this.#top, likely = 'directory' }: Guess = {}): Promise<boolean> {
    try {
      await (likely === 'directory' ? directory.removeDirectory(name) : directory.unlink(name));
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
      if (likely === 'directory' ? !hasCode(error, 'ENOTDIR') : !hasCode(error, 'EISDIR')) throw error;
    }
    return await this.isGone(name, { directory, likely: likely === 'directory' ? 'file' : 'directory' });
  }

  async remove(entry: Dirent<Buffer>): Promise<void> {
    const name = Buffer.from(entry.name);
    try {
      if (!(await this.isGone(name, { likely: likelyType(entry) }))) {
        await this.#empty(name);
        if (!(await this.isGone(name))) return;
      }
      this.removed++;
    } catch (error) {
      this.failure ??= error;
    }
  }

  async #empty(name: Buffer): Promise<void> {
    await using directory = await this.#top.directory(name);
    for await (const entry of directory.entries()) {
      const inner = Buffer.from(entry.name);
      try {
        if (!(await this.isGone(inner, { directory, likely: likelyType(entry) }))) await this.#moveUp(directory, inner);
        this.removed++;
      } catch (error) {
        this.failure ??= error;
      }
    }
  }

  async #moveUp(directory: HeldDirectory, name: Buffer): Promise<void> {
    for (;;) {
      try {
        return await directory.rename(name, this.#top, `.removed-${this.#moved++}`);
      } catch (error) {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
      }
    }
  }
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
