/**
 * emptyDir: a directory that lives as long as the pod, on the node's disk or in memory.
 * A size limit in memory is enforced by tmpfs; on disk by eviction.
 * Upstream: pkg/volume/emptydir/empty_dir.go.
 */
import { chmod, lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { ignoreMissing } from '../../files/held-directory.ts';
import { podTotals } from '../container/container-resources.ts';
import { giveToGroup } from './ownership.ts';
import { fsGroupOf, type ReadyVolume, type SetUpRequest, type VolumeHost, type VolumePlugin } from './volume-plugin.ts';

const directoryMode = 0o777;
/** What containers make in a volume (programs with setuid, devices) is out of reach of the machine's other users. */
const parentMode = 0o750;

export const emptyDir: VolumePlugin = {
  directory: 'kubernetes.io~empty-dir',
  supports: (volume) => volume.emptyDir !== undefined,
  async setUp(request, host) {
    const source = request.volume.emptyDir ?? {};
    if (source.medium && source.medium !== 'Memory') throw new Error(`unknown storage medium "${source.medium}"`);
    const marker = join(request.dir, '../../../plugins', emptyDir.directory, request.volume.name, 'ready');
    const memory = source.medium === 'Memory';
    const lasts = host.mounter && !memory;
    // What the containers have made of it since is theirs, and may be much.
    if (lasts && (await isThere(marker))) return { hostPath: request.dir, readOnly: false };
    const sizeBytes = tmpfsBytes(request.pod, source.sizeLimit, host.allocatable()['memory']);
    const ready = await makeDirectory(request, host, { memory, readOnly: false, sizeBytes });
    if (lasts) await writeMarker(marker);
    return ready;
  },
};

const isThere = async (path: string): Promise<boolean> => (await ignoreMissing(lstat(path))) !== undefined;

async function writeMarker(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: parentMode });
  await writeFile(path, '');
}

/** The directory that an emptyDir, and every volume with content, begins with. */
export async function makeDirectory(
  { pod, dir }: SetUpRequest,
  { mounter, gate }: VolumeHost,
  options: { readonly memory: boolean; readonly readOnly: boolean; readonly sizeBytes?: number | undefined },
): Promise<ReadyVolume> {
  const ready = { hostPath: dir, readOnly: options.readOnly };
  if (!mounter) return ready;
  await mkdir(dirname(dir), { recursive: true, mode: parentMode });
  await mkdir(dir, { recursive: true, mode: directoryMode });
  if (options.memory) {
    if (await mounter.isMountPoint(dir)) return ready;
    await chmod(dir, directoryMode);
    await mounter.tmpfs(dir, options.sizeBytes ? { sizeBytes: options.sizeBytes } : {});
  } else await chmod(dir, directoryMode);
  const fsGroup = fsGroupOf(pod);
  if (fsGroup !== undefined) await giveToGroup(dir, { fsGroup, readOnly: options.readOnly, policy: 'Always' }, gate);
  return ready;
}

/** The smallest of the node's memory, the pod's limit, and the volume's own. */
function tmpfsBytes(pod: Pod, sizeLimit: string | undefined, nodeMemory: string | undefined): number | undefined {
  const { memoryLimited, memoryLimitBytes } = podTotals(pod);
  const limits = [
    nodeMemory === undefined ? 0 : quantityValue(nodeMemory),
    memoryLimited ? memoryLimitBytes : 0,
    sizeLimit === undefined ? 0 : quantityValue(sizeLimit),
  ].filter((bytes) => bytes > 0);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}
