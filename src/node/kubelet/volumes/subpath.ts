/**
 * A part of a volume, mounted so that links inside the volume can't lead out of it: the path is resolved by descriptors,
 * and what was opened is what is bound. What is missing is made, with the volume's own permissions.
 * Upstream: pkg/volume/util/subpath/subpath_linux.go.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory } from '../../files/held-directory.ts';
import { openInside } from '../../files/open-inside.ts';
import type { Mounter } from './mounter.ts';

export interface Subpath {
  readonly volumePath: string;
  readonly subPath: string;
  /** where the part is bound to: `<pod>/volume-subpaths/<volume>/<container>/<index>` */
  readonly target: string;
}

/** Throws for a path that is absolute or climbs. */
export function checkSubPath(subPath: string): void {
  if (subPath.startsWith('/')) throw new Error(`error SubPath \`${subPath}\` must not be an absolute path`);
  if (subPath.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
}

/** The host path to mount into the container. */
export async function bindSubpath({ volumePath, subPath, target }: Subpath, mounter: Mounter, gate: FileGate): Promise<string> {
  await using root = await HeldDirectory.open(volumePath, gate);
  const { mode } = await root.info();
  await using part = await openInside(root, subPath, { make: Number(mode) & 0o7777 });
  await mounter.unmount(target);
  await makeTarget(target, part.info.isDirectory());
  await mounter.bind(`/proc/${process.pid}/fd/${part.fd}`, target);
  return target;
}

async function makeTarget(target: string, isDirectory: boolean): Promise<void> {
  if (isDirectory) {
    await mkdir(target, { recursive: true, mode: 0o750 });
    return;
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  await writeFile(target, '', { flag: 'a', mode: 0o640 });
}
