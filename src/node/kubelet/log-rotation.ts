/**
 * Keeps the logs of running containers small: a file that grew beyond 10 MiB is moved away, the runtime begins a new one,
 * older ones are compressed, and five are kept in all.
 * Upstream: pkg/kubelet/logs/container_log_manager.go.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';

const bytesMax = 10 * 2 ** 20;
const filesMax = 5;
const compressed = '.gz';
const unfinished = '.tmp';

/** True when it was time. */
export async function rotateLog(
  at: { readonly path: string; readonly containerID: string; readonly nowMs: number },
  runtime: Pick<ContainerRuntime, 'reopenContainerLog'>,
  limits: { readonly bytesMax: number; readonly filesMax: number } = { bytesMax, filesMax },
): Promise<boolean> {
  const { path, containerID, nowMs } = at;
  const info = await stat(path).catch(() => undefined);
  if (!info || info.size <= limits.bytesMax) return false;
  for (const old of await keepNewest(path, limits.filesMax - 2)) if (!old.endsWith(compressed)) await compress(old);
  const rotated = `${path}.${timestamp(nowMs)}`;
  await rename(path, rotated);
  try {
    await runtime.reopenContainerLog(containerID);
  } catch (error) {
    await rename(rotated, path);
    throw error;
  }
  return true;
}

/** `20260102-030405` */
const timestamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** Removes the oldest rotated files and half-made ones; gives those that stay. */
async function keepNewest(path: string, count: number): Promise<readonly string[]> {
  const dir = dirname(path);
  const rotated = (await readdir(dir)).filter((name) => name.startsWith(`${basename(path)}.`)).toSorted();
  const usable = rotated.filter((name) => !name.endsWith(unfinished));
  const kept = usable.slice(Math.max(0, usable.length - count));
  for (const name of rotated) if (!kept.includes(name)) await rm(join(dir, name), { force: true });
  return kept.map((name) => join(dir, name));
}

async function compress(path: string): Promise<void> {
  const half = `${path}${unfinished}`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(half));
  await rename(half, `${path}${compressed}`);
  await rm(path);
}
