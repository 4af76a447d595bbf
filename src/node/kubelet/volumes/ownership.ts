/**
 * Gives a volume to the pod's fsGroup: group, group permissions and the setgid bit of directories, for everything in it.
 * Upstream: pkg/volume/volume_linux.go.
 */
import { chmod, lchown, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const rights = { readWrite: 0o660, read: 0o440, enter: 0o110, setGroup: 0o2000 } as const;

export interface Ownership {
  readonly fsGroup: number;
  readonly readOnly: boolean;
  readonly policy: 'Always' | 'OnRootMismatch';
}

export async function giveToGroup(dir: string, ownership: Ownership): Promise<void> {
  if (ownership.policy === 'OnRootMismatch' && (await fits(dir, ownership))) return;
  await change(dir, ownership);
}

async function fits(dir: string, { fsGroup, readOnly }: Ownership): Promise<boolean> {
  const { gid, mode } = await stat(dir);
  const wanted = (readOnly ? rights.read : rights.readWrite) | rights.enter | rights.setGroup;
  return gid === fsGroup && (mode & wanted) === wanted;
}

/** Children first, so that the directory itself, by which a later start judges, comes last. */
async function change(path: string, ownership: Ownership): Promise<void> {
  const info = await lstat(path);
  if (info.isDirectory()) for (const name of await readdir(path)) await change(join(path, name), ownership);
  await lchown(path, info.uid, ownership.fsGroup);
  if (info.isSymbolicLink()) return;
  const more = info.isDirectory() ? rights.enter | rights.setGroup : 0;
  await chmod(path, (info.mode & 0o7777) | (ownership.readOnly ? rights.read : rights.readWrite) | more);
}
