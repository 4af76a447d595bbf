/**
 * hostPath: a file or directory of the node, as it is. Its type is checked, and what is missing is made where the type
 * says so.
 * Upstream: pkg/volume/hostpath/host_path.go.
 */
import type { Stats } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import type { HostPathVolumeSource } from '../../../api/generated/core-v1.ts';
import type { VolumePlugin } from './volume-plugin.ts';

export const hostPath: VolumePlugin = {
  directory: 'kubernetes.io~host-path',
  supports: (volume) => volume.hostPath !== undefined,
  async setUp({ volume }, host) {
    const source = volume.hostPath ?? { path: '' };
    if (host.mounter) await checkHostPath(source);
    return { hostPath: source.path, readOnly: false };
  },
};

interface TypeCheck {
  readonly fits: (info: Stats) => boolean;
  readonly what: string;
  readonly make?: (path: string) => Promise<unknown>;
}
const isDirectory = { fits: (info: Stats) => info.isDirectory(), what: 'a directory' };
const isFile = { fits: (info: Stats) => info.isFile(), what: 'a file' };
const types: Readonly<Record<Exclude<NonNullable<HostPathVolumeSource['type']>, ''>, TypeCheck>> = {
  Directory: isDirectory,
  DirectoryOrCreate: { ...isDirectory, make: (path) => mkdir(path, { recursive: true, mode: 0o755 }) },
  File: isFile,
  FileOrCreate: { ...isFile, make: (path) => writeFile(path, '', { flag: 'a', mode: 0o644 }) },
  Socket: { fits: (info) => info.isSocket(), what: 'a socket file' },
  CharDevice: { fits: (info) => info.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { fits: (info) => info.isBlockDevice(), what: 'a block device' },
};

export async function checkHostPath({ path, type }: HostPathVolumeSource): Promise<void> {
  if (path.split('/').includes('..')) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
  if (!type) return;
  const { fits, what, make } = types[type];
  const info = await stat(path).catch(() => undefined);
  if (!info && make) await make(path);
  else if (!info || !fits(info)) throw new Error(`hostPath type check failed: ${path} is not ${what}`);
}
