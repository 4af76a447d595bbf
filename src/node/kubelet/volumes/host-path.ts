/**
 * hostPath: a file or directory of the node, as it is. Its type is checked, and what is missing is made where the type
 * says so.
 * Upstream: pkg/volume/hostpath/host_path.go.
 */
import { constants, type Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import type { HostPathVolumeSource } from '../../../api/generated/core-v1.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { shorten } from '../../files/held-directory.ts';
import type { VolumePlugin } from './volume-plugin.ts';

export const hostPath: VolumePlugin = {
  directory: 'kubernetes.io~host-path',
  supports: (volume) => volume.hostPath !== undefined,
  async setUp({ volume }, host) {
    const source = volume.hostPath ?? { path: '' };
    if (host.mounter) await checkHostPath(source, host.gate);
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
  FileOrCreate: { ...isFile, make: makeFile },
  Socket: { fits: (info) => info.isSocket(), what: 'a socket file' },
  CharDevice: { fits: (info) => info.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { fits: (info) => info.isBlockDevice(), what: 'a block device' },
};

/** Whoever puts something else in its place meanwhile finds it neither followed nor waited for. */
async function makeFile(path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await (await open(path, flags, 0o644)).close();
}

export async function checkHostPath({ path, type }: HostPathVolumeSource, gate: FileGate): Promise<void> {
  if (path.split('/').includes('..')) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
  if (!type) return;
  const { fits, what, make } = types[type];
  const info = await gate.call(`stat ${shorten(path)}`, () => stat(path).catch(() => undefined));
  if (!info && make) await gate.call(`make ${shorten(path)}`, () => make(path));
  else if (!info || !fits(info)) throw new Error(`hostPath type check failed: ${path} is not ${what}`);
}
