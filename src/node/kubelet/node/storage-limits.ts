/**
 * What pods take of the node's disk, and which take more than they may: emptyDir volumes with a size limit, containers
 * and pods with a limit of ephemeral storage.
 * Upstream: pkg/kubelet/eviction/eviction_manager.go (localStorageEviction), pkg/kubelet/stats (ephemeral storage).
 */
import { join } from 'node:path';
import type { Container, Pod } from '../../../api/generated/core-v1.ts';
import { quantityValue } from '../../../api/meta/quantity.ts';
import { podResources } from '../../../api/predicates/pod-resources.ts';
import type { Clock } from '../../../client/clock.ts';
import type { FileGate } from '../../files/file-gate.ts';
import { HeldDirectory, ignoreMissing } from '../../files/held-directory.ts';
import { walk } from '../../files/walk.ts';
import { hostsFile } from '../container/container-mounts.ts';

const resource = 'ephemeral-storage';
const blockBytes = 512;

export interface StorageUse {
  /** by volume */
  readonly emptyDirBytes: ReadonlyMap<string, number>;
  /** by container: its writable layer and its logs */
  readonly containerBytes: ReadonlyMap<string, number>;
  /** what else its containers can write to: /etc/hosts, and the files for last words */
  readonly ownBytes: number;
}

export const totalUse = ({ emptyDirBytes, containerBytes, ownBytes }: StorageUse): number =>
  sum(emptyDirBytes.values()) + sum(containerBytes.values()) + ownBytes;

const diskVolumes = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? []).filter((v) => v.emptyDir && v.emptyDir.medium !== 'Memory').map((v) => v.name);

/** Whether there is anything that it may exceed. */
export const hasStorageLimit = (pod: Pod): boolean =>
  podLimit(pod) !== undefined ||
  (pod.spec.volumes ?? []).some((v) => v.emptyDir?.sizeLimit !== undefined && v.emptyDir.medium !== 'Memory');

/** Those that have one added up, also when others have none. */
const podLimit = ({ spec }: Pod): string | undefined => podResources(spec, 'limits', { withOverhead: true })[resource];
const limitOf = (container: Container): string | undefined => container.resources?.limits?.[resource];

/** The message of its eviction, or undefined when all is within the limits. */
export function judgeStorage(pod: Pod, use: StorageUse): string | undefined {
  const { emptyDirBytes, containerBytes } = use;
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const size = emptyDir?.sizeLimit;
    if (size === undefined || quantityValue(size) === 0) continue;
    if ((emptyDirBytes.get(name) ?? 0) > quantityValue(size)) return `Usage of EmptyDir volume "${name}" exceeds the limit "${size}". `;
  }
  const limit = podLimit(pod);
  if (limit !== undefined && totalUse(use) > quantityValue(limit)) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
  }
  for (const container of pod.spec.containers) {
    const own = limitOf(container);
    if (own === undefined || quantityValue(own) === 0 || (containerBytes.get(container.name) ?? 0) <= quantityValue(own)) continue;
    return `Container ${container.name} exceeded its local ephemeral storage limit "${own}". `;
  }
  return undefined;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

/** How many files with several names are remembered, so that they count once. */
const linkedMax = 100_000;
/** After so many entries the walk rests for as long as they took: nobody else should feel it. */
const entriesPerTurn = 1000;

export interface MeasuringOptions {
  readonly gate: FileGate;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface PodPlaces {
  readonly podDirectory: string;
  readonly logs: string;
  /** by container: its writable layer, as the runtime tells it */
  readonly layers: ReadonlyMap<string, number>;
}

/** Rejects with WalkTooLargeError. */
export async function measurePod(pod: Pod, { podDirectory, logs, layers }: PodPlaces, options: MeasuringOptions): Promise<StorageUse> {
  const emptyDirBytes = new Map<string, number>();
  for (const name of diskVolumes(pod)) {
    emptyDirBytes.set(name, await measureDirectory(join(podDirectory, 'volumes', 'kubernetes.io~empty-dir', name), options));
  }
  const containerBytes = new Map<string, number>();
  for (const [name, layer] of layers) containerBytes.set(name, layer + (await measureDirectory(join(logs, name), options)));
  const ownBytes =
    (await measureFile(podDirectory, hostsFile, options)) + (await measureDirectory(join(podDirectory, 'containers'), options));
  return { emptyDirBytes, containerBytes, ownBytes };
}

async function measureFile(dir: string, name: string, { gate }: MeasuringOptions): Promise<number> {
  const held = await ignoreMissing(HeldDirectory.open(dir, gate));
  if (!held) return 0;
  await using _ = held;
  return Number((await ignoreMissing(held.lstat(name)))?.blocks ?? 0) * blockBytes;
}

export interface TreeUse {
  readonly bytes: number;
  readonly inodes: number;
}

export const measureDirectory = async (path: string, options: MeasuringOptions): Promise<number> =>
  (await measureTree(path, options)).bytes;

/** What a directory takes on disk; what vanishes meanwhile counts nothing. Rejects with WalkTooLargeError. */
export async function measureTree(path: string, { gate, clock, signal }: MeasuringOptions): Promise<TreeUse> {
  const root = await ignoreMissing(HeldDirectory.open(path, gate));
  if (!root) return { bytes: 0, inodes: 0 };
  await using _ = root;
  let [blocks, inodes] = [(await root.info()).blocks, 1];
  const linked = new Set<bigint>();
  let [entries, sinceMs] = [0, clock.monotonic()];
  await walk(root, async ({ info }) => {
    signal?.throwIfAborted();
    if (++entries % entriesPerTurn === 0) {
      await clock.sleep(clock.monotonic() - sinceMs, signal);
      sinceMs = clock.monotonic();
    }
    if (info.nlink > 1n && !info.isDirectory()) {
      if (linked.has(info.ino)) return;
      if (linked.size < linkedMax) linked.add(info.ino);
    }
    blocks += info.blocks;
    inodes++;
  });
  return { bytes: Number(blocks) * blockBytes, inodes };
}
