/**
 * Writes the files of a volume so that a reader sees all of the old or all of the new: they are in a directory named by
 * the time, `..data` is a symbolic link to it that is replaced by a rename, and what the user sees are links through
 * `..data`. Files that are gone from the payload vanish; an unchanged payload writes nothing.
 * Upstream: pkg/volume/util/atomic_writer.go.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import type { FileGate } from '../../files/file-gate.ts';
import { openFile, readAtMost } from '../../files/held-directory.ts';
import { removeTree } from '../../files/remove-tree.ts';
import { checkPayloadPath, type FileContent, type FilePayload } from './file-payload.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';

/** `setPermissions` is called with the files in place but not yet visible. True when something was written. */
export async function writeAtomically(
  dir: string,
  payload: FilePayload,
  at: { readonly nowMs: number; readonly gate: FileGate; readonly setPermissions?: (() => Promise<void>) | undefined },
): Promise<boolean> {
  const files = new Map<string, FileContent>();
  for (const [path, content] of payload) {
    checkPayloadPath(path);
    files.set(normalize(path), content);
  }
  const current = await readlink(join(dir, dataLink)).catch(ignoreMissing);
  if (current !== undefined && (await isUpToDate(join(dir, basename(current)), files, at.gate))) {
    await makeVisible(dir, files);
    return false;
  }
  const fresh = await mkdtemp(join(dir, `${timestamp(at.nowMs)}.`));
  await chmod(fresh, 0o755);
  for (const [path, content] of files) await writeOne(join(fresh, path), content);
  await at.setPermissions?.();
  await rm(join(dir, newDataLink), { force: true });
  await symlink(fresh.slice(dir.length + 1), join(dir, newDataLink));
  await rename(join(dir, newDataLink), join(dir, dataLink));
  await makeVisible(dir, files);
  await hideOthers(dir, files);
  if (current !== undefined) await removeTree(join(dir, basename(current)), at.gate);
  return true;
}

/** `..2026_01_02_03_04_05` */
const timestamp = (ms: number): string => `..${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}`;

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function writeOne(path: string, { data, mode, uid }: FileContent): Promise<void> {
  const parent = dirname(path);
  await mkdir(parent, { recursive: true, mode: 0o777 });
  await writeFile(path, data, { mode });
  await chmod(path, mode);
  if (uid !== undefined) await chown(path, uid, -1);
}

async function isUpToDate(dir: string, files: ReadonlyMap<string, FileContent>, gate: FileGate): Promise<boolean> {
  const present = await filesBelow(dir, '');
  if (present.length !== files.size) return false;
  for (const [path, { data, mode }] of files) {
    if (!present.includes(path)) return false;
    await using file = await openFile(join(dir, path), gate);
    const [content, { mode: actual }] = await Promise.all([readAtMost(file, data.length), file.stat()]);
    // The group's bits may have been added for the pod's fsGroup.
    if (!content?.equals(data) || (actual & mode & 0o777) !== (mode & 0o777)) return false;
  }
  return true;
}

async function filesBelow(dir: string, prefix: string): Promise<readonly string[]> {
  const entries = await readdir(join(dir, prefix), { withFileTypes: true }).catch(ignoreMissing);
  const nested = await Promise.all(
    (entries ?? []).map((e) => (e.isDirectory() ? filesBelow(dir, join(prefix, e.name)) : [join(prefix, e.name)])),
  );
  return nested.flat();
}

/** The first part of a path is what is linked: a file, or the directory that it is in. */
const visibleNames = (files: ReadonlyMap<string, FileContent>): ReadonlySet<string> =>
  new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));

async function makeVisible(dir: string, files: ReadonlyMap<string, FileContent>): Promise<void> {
  for (const name of visibleNames(files)) {
    const link = join(dir, name);
    const there = await lstat(link).catch(ignoreMissing);
    if (!there) await symlink(join(dataLink, name), link);
  }
}

async function hideOthers(dir: string, files: ReadonlyMap<string, FileContent>): Promise<void> {
  const visible = visibleNames(files);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.name.startsWith('..') || visible.has(entry.name) || !entry.isSymbolicLink()) continue;
    const target = await readlink(join(dir, entry.name));
    if (target.startsWith(`${dataLink}/`)) await rm(join(dir, entry.name), { force: true });
  }
}
