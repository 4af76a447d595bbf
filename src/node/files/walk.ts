/**
 * Goes through everything below a held directory by descriptors: one is open at a time, however deep the tree is, and
 * names are never joined into paths. Others may change the tree meanwhile: what vanished is passed over, a directory
 * that became a link is not entered, one that was moved away is left where it was.
 *
 * Bounded: by `entriesMax`, and by `namesBytesMax` of names that wait; beyond them it rejects with WalkTooLargeError.
 */
import type { BigIntStats } from 'node:fs';
import { type HeldDirectory, ignoreMissing } from './held-directory.ts';

export interface WalkedEntry {
  readonly directory: HeldDirectory;
  readonly name: Buffer;
  readonly info: BigIntStats;
}
export interface WalkLimits {
  readonly entriesMax: number;
  readonly namesBytesMax: number;
}

const limitsDefault: WalkLimits = { entriesMax: 10_000_000, namesBytesMax: 64 * 2 ** 20 };

export class WalkTooLargeError extends Error {
  override readonly name = 'WalkTooLargeError';
}

/** Tells each entry before what is in it; the root itself is not told. Other file systems are not entered. */
export async function walk(root: HeldDirectory, visit: (entry: WalkedEntry) => unknown, limits: WalkLimits = limitsDefault): Promise<void> {
  await using descent = new Descent(root);
  const { dev } = await root.info();
  let [entries, bytes] = [0, 0];
  const look = async (directory: HeldDirectory): Promise<Buffer[]> => {
    const inside: Buffer[] = [];
    for await (const { name } of directory.entries()) {
      const info = await ignoreMissing(directory.lstat(name));
      if (!info) continue;
      if (++entries > limits.entriesMax) throw new WalkTooLargeError(`more than ${limits.entriesMax} entries in ${root.where}`);
      await visit({ directory, name, info });
      if (!info.isDirectory() || info.dev !== dev) continue;
      bytes += name.length;
      if (bytes > limits.namesBytesMax) throw new WalkTooLargeError(`too many directories in ${root.where}`);
      inside.push(Buffer.from(name));
    }
    return inside;
  };
  /** directories yet to be entered, of each level down to where the descent is */
  const waiting = [await look(descent.directory)];
  for (let names = waiting.at(-1); names; names = waiting.at(-1)) {
    const name = names.pop();
    if (name === undefined) {
      if (descent.depth === 0) return;
      await descent.leave();
      waiting.length = descent.depth + 1;
      continue;
    }
    bytes -= name.length;
    if (await descent.enter(name)) waiting.push(await look(descent.directory));
  }
}

interface Step {
  readonly name: Buffer;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A place below a directory; knows the way back without holding it open. */
export class Descent implements AsyncDisposable {
  readonly #root: HeldDirectory;
  readonly #steps: Step[] = [];
  #at: HeldDirectory | undefined;

  constructor(root: HeldDirectory) {
    this.#root = root;
  }

  get directory(): HeldDirectory {
    return this.#at ?? this.#root;
  }
  /** 0 in the root */
  get depth(): number {
    return this.#steps.length;
  }

  /** False when it is no directory, or none any more. */
  async enter(name: Buffer): Promise<boolean> {
    const step = await this.#step(name);
    if (step) this.#steps.push(step);
    return step !== undefined;
  }

  /** One up; where the way back is not what it was, to the deepest place that still is. */
  async leave(): Promise<void> {
    this.#steps.pop();
    const wanted = this.#steps.at(-1);
    if (!wanted) return await this.#moveTo(undefined);
    const parent = await this.directory.parent();
    await this.#moveTo(parent);
    if (isSame(await parent.info(), wanted)) return;
    await this.#moveTo(undefined);
    const steps = this.#steps.splice(0);
    for (const step of steps) {
      if (!(await this.#step(step.name, step))) return;
      this.#steps.push(step);
    }
  }

  /** Into a directory of this name, if there is one, and if it is the very one that is wanted. */
  async #step(name: Buffer, wanted?: Step): Promise<Step | undefined> {
    let next: HeldDirectory;
    try {
      next = await this.directory.directory(name);
    } catch (error) {
      if (isNoDirectory(error)) return undefined;
      throw error;
    }
    const { dev, ino } = await next.info();
    if (wanted && !isSame(wanted, { dev, ino })) {
      await next[Symbol.asyncDispose]();
      return undefined;
    }
    await this.#moveTo(next);
    return { name, dev, ino };
  }

  async #moveTo(next: HeldDirectory | undefined): Promise<void> {
    const before = this.#at;
    this.#at = next;
    await before?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#moveTo(undefined);
  }
}

type Identity = Pick<BigIntStats, 'dev' | 'ino'>;
const isSame = (a: Identity, b: Identity): boolean => a.dev === b.dev && a.ino === b.ino;

const isNoDirectory = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(String(error.code));
