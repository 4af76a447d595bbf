/** Reads a file of a pod's volume for an environment variable; links that lead out of the volume are refused. */
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory, readAtMost } from '../../files/held-directory.ts';
import { openInside } from '../../files/open-inside.ts';
import { checkSubPath } from './subpath.ts';
import type { ReadyVolumes } from './volume-manager.ts';

export interface VolumeFile {
  readonly volume: string;
  readonly path: string;
  readonly bytesMax: number;
}

export class NoVolumeError extends Error {
  override readonly name = 'NoVolumeError';
}

/** Rejects for what is no regular file, and for what is larger than it may be. */
export async function readVolumeFile(volumes: ReadyVolumes, file: VolumeFile, gate: FileGate): Promise<Buffer> {
  const volume = volumes.get(file.volume);
  if (!volume) throw new NoVolumeError(`cannot find the volume "${file.volume}" referenced by FileKeyRef`);
  checkSubPath(file.path);
  await using root = await HeldDirectory.open(volume.hostPath, gate);
  await using held = await openInside(root, file.path);
  await using opened = await root.reopen(held, file.path);
  const content = await readAtMost(opened, file.bytesMax);
  if (!content) throw new Error(`more than ${file.bytesMax} bytes`);
  return content;
}
