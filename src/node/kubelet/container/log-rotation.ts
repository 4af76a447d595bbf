/**
 * Keeps the logs of running containers small: a file that grew beyond 10 MiB is moved away, the runtime begins a new one,
 * older ones are compressed, and five are kept in all.
 * Upstream: pkg/kubelet/logs/container_log_manager.go.
 */
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory, ignoreMissing } from '../../files/held-directory.ts';
import type { ContainerRuntime } from '../../runtime/container-runtime.ts';

const bytesMax = 10 * 2 ** 20;
const filesMax = 5;
const compressed = '.gz';
const unfinished = '.tmp';

export interface RotationOptions {
  readonly runtime: Pick<ContainerRuntime, 'reopenContainerLog'>;
  readonly gate: FileGate;
  readonly limits?: { readonly bytesMax: number; readonly filesMax: number };
}

/** True when it was time. */
export async function rotateLog(
  at: { readonly path: string; readonly containerID: string; readonly nowMs: number },
  { runtime, gate, limits = { bytesMax, filesMax } }: RotationOptions,
): Promise<boolean> {
  const { path, containerID, nowMs } = at;
  const directory = await ignoreMissing(HeldDirectory.open(dirname(path), gate));
  if (!directory) return false;
  await using _ = directory;
  const name = basename(path);
  const info = await ignoreMissing(directory.lstat(name));
  if (!info?.isFile() || info.size <= limits.bytesMax) return false;
  for (const old of await keepNewest(directory, name, limits.filesMax - 2)) if (!old.endsWith(compressed)) await compress(directory, old);
  const rotated = `${name}.${timestamp(nowMs)}`;
  await directory.rename(name, directory, rotated);
  try {
    await runtime.reopenContainerLog(containerID);
  } catch (error) {
    await directory.rename(rotated, directory, name);
    throw error;
  }
  return true;
}

/** `20260102-030405` */
const timestamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** Removes the oldest rotated files and half-made ones; gives those that stay. */
async function keepNewest(directory: HeldDirectory, log: string, count: number): Promise<readonly string[]> {
  const rotated: string[] = [];
  for await (const { name } of directory.entries()) {
    if (name.subarray(0, log.length + 1).equals(Buffer.from(`${log}.`))) rotated.push(name.toString());
  }
  const usable = rotated.filter((name) => !name.endsWith(unfinished)).toSorted();
  const kept = usable.slice(Math.max(0, usable.length - count));
  for (const name of rotated) if (!kept.includes(name)) await directory.unlink(name);
  return kept;
}

async function compress(directory: HeldDirectory, name: string): Promise<void> {
  const half = `${name}${unfinished}`;
  await using source = await directory.openFile(name);
  await using target = await directory.createFile(half, 0o640);
  await pipeline(source.createReadStream(), createGzip(), target.createWriteStream());
  await directory.rename(half, directory, `${name}${compressed}`);
  await directory.unlink(name);
}
