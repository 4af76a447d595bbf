/**
 * A part of a volume, mounted so that links inside the volume can't lead out of it: the path is walked component by
 * component without following links, and what was opened is what is bound.
 * Upstream: pkg/volume/util/subpath/subpath_linux.go.
 */
import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Mounter } from './mounter.ts';

export interface Subpath {
  readonly volumePath: string;
  readonly subPath: string;
  /** where the part is bound to: `<pod>/volume-subpaths/<volume>/<container>/<index>` */
  readonly target: string;
}

/** Linux's O_PATH, which Node does not name: opens without reading. */
const pathOnly = 0o10000000;

/** Throws for a path that is absolute or climbs. */
export function checkSubPath(subPath: string): void {
  if (subPath.startsWith('/')) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
}

/** The host path to mount into the container. */
export async function bindSubpath(subpath: Subpath, mounter: Mounter): Promise<string> {
  const root = await realpath(subpath.volumePath);
  await makeInside(root, subpath.subPath);
  const resolved = await realpath(join(root, subpath.subPath));
  if (resolved !== root && !resolved.startsWith(`${root}/`)) throw new Error(`subpath "${resolved}" not within volume path "${root}"`);
  await using opened = await openInside(root, resolved.slice(root.length + 1));
  await mounter.unmount(subpath.target);
  await makeTarget(subpath.target, (await opened.handle.stat()).isDirectory());
  await mounter.bind(`/proc/${process.pid}/fd/${opened.handle.fd}`, subpath.target);
  return subpath.target;
}

interface Opened extends AsyncDisposable {
  readonly handle: FileHandle;
}

async function openInside(root: string, relative: string): Promise<Opened> {
  let handle = await open(root, pathOnly | constants.O_DIRECTORY);
  for (const part of relative.split('/').filter((p) => p !== '')) {
    const parent = handle;
    try {
      handle = await open(`/proc/self/fd/${parent.fd}/${part}`, pathOnly | constants.O_NOFOLLOW);
    } finally {
      await parent.close();
    }
    if ((await handle.stat()).isSymbolicLink()) {
      await handle.close();
      throw new Error(`unexpected symlink found in "${relative}"`);
    }
  }
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

/** Makes what is missing of a directory, with the volume's own permissions, one component at a time. */
async function makeInside(root: string, relative: string): Promise<void> {
  const { mode } = await stat(root);
  let at = root;
  for (const part of relative.split('/').filter((p) => p !== '' && p !== '.')) {
    const next = join(at, part);
    const there = await realpath(next).catch(() => undefined);
    if (there === undefined) {
      await mkdir(next);
      await chmod(next, mode & 0o7777);
      at = next;
      continue;
    }
    if (there !== root && !there.startsWith(`${root}/`)) throw new Error(`path "${there}" is outside of the volume`);
    at = there;
  }
}

async function makeTarget(target: string, isDirectory: boolean): Promise<void> {
  if (isDirectory) {
    await mkdir(target, { recursive: true, mode: 0o750 });
    return;
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  await writeFile(target, '', { flag: 'a', mode: 0o640 });
}
