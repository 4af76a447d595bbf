/**
 * Gives a volume to the pod's fsGroup: group, group permissions and the setgid bit of directories, for everything in it.
 * Upstream: pkg/volume/volume_linux.go.
 */
import type { BigIntStats } from 'node:fs';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory, type HeldEntry, ignoreMissing } from '../../files/held-directory.ts';
import { walk } from '../../files/walk.ts';

const rights = { readWrite: 0o660, read: 0o440, enter: 0o110, setGroup: 0o2000 } as const;
/** chown(2): as it is */
const sameUser = -1;

export interface Ownership {
  readonly fsGroup: number;
  readonly readOnly: boolean;
  readonly policy: 'Always' | 'OnRootMismatch';
}

/** The directory itself, by which a later start judges, comes last. */
export async function giveToGroup(dir: string, ownership: Ownership, gate: FileGate): Promise<void> {
  await using root = await HeldDirectory.open(dir, gate);
  if (ownership.policy === 'OnRootMismatch' && fits(await root.info(), ownership)) return;
  await walk(root, ({ directory, name }) => ignoreMissing(change(directory, name, ownership)));
  await using self = await root.self();
  await root.chown(self, { uid: sameUser, gid: ownership.fsGroup });
  await root.chmod(self, modeFor(self.info, ownership));
}

function fits({ gid, mode }: BigIntStats, { fsGroup, readOnly }: Ownership): boolean {
  const wanted = (readOnly ? rights.read : rights.readWrite) | rights.enter | rights.setGroup;
  return Number(gid) === fsGroup && (Number(mode) & wanted) === wanted;
}

async function change(directory: HeldDirectory, name: Buffer, ownership: Ownership): Promise<void> {
  await using held: HeldEntry = await directory.hold(name);
  await directory.chown(held, { uid: sameUser, gid: ownership.fsGroup });
  if (!held.info.isSymbolicLink()) await directory.chmod(held, modeFor(held.info, ownership));
}

function modeFor(info: BigIntStats, { readOnly }: Ownership): number {
  const more = info.isDirectory() ? rights.enter | rights.setGroup : 0;
  return (Number(info.mode) & 0o7777) | (readOnly ? rights.read : rights.readWrite) | more;
}
