/**
 * A path inside a volume, resolved there: component by component from a held directory, so that what is opened is what
 * was looked at. Links are followed as long as they stay inside; one that is absolute or climbs out is refused.
 * Upstream: pkg/volume/util/subpath/subpath_linux.go.
 */
import { type HeldDirectory, type HeldEntry, isMissing } from './held-directory.ts';
import { Descent } from './walk.ts';

/** As many as the kernel follows. */
const linksMax = 40;

/** The path leads out of its volume, or nowhere. */
export class OutsideError extends Error {
  override readonly name = 'OutsideError';
}

/** Any kind of entry but a link. Directories that are missing are made with the mode `make`, where it is given. */
export async function openInside(root: HeldDirectory, path: string, { make }: { readonly make?: number } = {}): Promise<HeldEntry> {
  await using descent = new Descent(root);
  // one character per byte: names need not be UTF-8
  const parts = split(Buffer.from(path)).toReversed();
  let links = 0;
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part === '..') {
      await climb(descent, root);
      continue;
    }
    const name = Buffer.from(part, 'latin1');
    const held = await holdOrMake(descent.directory, name, make);
    const isFile = !held.info.isSymbolicLink() && !held.info.isDirectory();
    if (isFile && parts.length === 0) return held;
    await held[Symbol.asyncDispose]();
    if (held.info.isSymbolicLink()) {
      if (++links > linksMax) throw new OutsideError(`too many links in ${root.where}`);
      const target = await descent.directory.readlink(name);
      if (target[0] === slash) throw new OutsideError(`a link leads out of ${root.where}`);
      parts.push(...split(target).toReversed());
    } else if (isFile || !(await descent.enter(name))) {
      throw Object.assign(new Error(`ENOTDIR: not a directory, in ${root.where}`), { code: 'ENOTDIR' });
    }
  }
  return await descent.directory.self();
}

const slash = 0x2f;
const split = (path: Buffer): string[] =>
  path
    .toString('latin1')
    .split('/')
    .filter((part) => part !== '' && part !== '.');

async function climb(descent: Descent, root: HeldDirectory): Promise<void> {
  const { depth } = descent;
  if (depth > 0) await descent.leave();
  if (descent.depth !== depth - 1) throw new OutsideError(`the path leads out of ${root.where}`);
}

async function holdOrMake(directory: HeldDirectory, name: Buffer, mode: number | undefined): Promise<HeldEntry> {
  try {
    return await directory.hold(name);
  } catch (error) {
    if (mode === undefined || !isMissing(error)) throw error;
  }
  await directory.makeDirectory(name, mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return await directory.hold(name);
}
