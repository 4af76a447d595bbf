/** Reads a file of a pod's volume for an environment variable; links that lead out of the volume are refused. */
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { checkSubPath } from './subpath.ts';
import type { ReadyVolumes } from './volume-manager.ts';

export async function readVolumeFile(volumes: ReadyVolumes, name: string, path: string): Promise<string> {
  const volume = volumes.get(name);
  if (!volume) throw new Error(`cannot find the volume "${name}" referenced by FileKeyRef`);
  checkSubPath(path);
  const root = await realpath(volume.hostPath);
  const file = await realpath(join(root, path)).catch(() => undefined);
  if (!file?.startsWith(`${root}/`)) throw new Error("couldn't parse env file");
  return await readFile(file, 'utf8');
}
