/**
 * Pods that take more of the node's disk than they may: emptyDir volumes with a size limit, containers and pods with a
 * limit of ephemeral storage. Pure, but for the measuring.
 * Upstream: pkg/kubelet/eviction/eviction_manager.go (localStorageEviction).
 */
import type { Container, Pod } from '../../api/generated/core-v1.ts';
import { quantityValue } from '../../api/meta/quantity.ts';
import type { Clock } from '../../client/clock.ts';
import type { FileGate } from '../files/file-gate.ts';
import { HeldDirectory, ignoreMissing } from '../files/held-directory.ts';
import { walk } from '../files/walk.ts';

const resource = 'ephemeral-storage';
const blockBytes = 512;

export interface StorageUse {
  /** by volume */
  readonly emptyDirBytes: ReadonlyMap<string, number>;
  /** by container: its writable layer and its logs */
  readonly containerBytes: ReadonlyMap<string, number>;
}

/** Volumes whose use matters for this pod. */
export const limitedEmptyDirs = (pod: Pod): readonly string[] =>
  (pod.spec.volumes ?? [])
    .filter((v) => v.emptyDir && v.emptyDir.medium !== 'Memory' && (v.emptyDir.sizeLimit !== undefined || hasLimit(pod)))
    .map((v) => v.name);

export const hasLimit = ({ spec }: Pod): boolean => spec.containers.some((c) => limitOf(c) !== undefined);
const limitOf = (container: Container): string | undefined => container.resources?.limits?.[resource];

/** The message of its eviction, or undefined when all is within the limits. */
export function judgeStorage(pod: Pod, { emptyDirBytes, containerBytes }: StorageUse): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    if (limit === undefined || quantityValue(limit) === 0) continue;
    if ((emptyDirBytes.get(name) ?? 0) > quantityValue(limit)) return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". `;
  }
  const total = sum(emptyDirBytes.values()) + sum(containerBytes.values());
  const limits = pod.spec.containers.map(limitOf);
  const podLimit = sum(limits.map((l) => quantityValue(l ?? '0')));
  if (limits.length > 0 && limits.every((l) => l !== undefined) && total > podLimit) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${limits.length === 1 ? limits[0] : podLimit}. `;
  }
  for (const container of pod.spec.containers) {
    const limit = limitOf(container);
    if (limit === undefined || (containerBytes.get(container.name) ?? 0) <= quantityValue(limit)) continue;
    return `Container ${container.name} exceeded its local ephemeral storage limit "${limit}". `;
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

/** What a directory takes on disk; what vanishes meanwhile counts nothing. Rejects with WalkTooLargeError. */
export async function measureDirectory(path: string, { gate, clock, signal }: MeasuringOptions): Promise<number> {
  const root = await ignoreMissing(HeldDirectory.open(path, gate));
  if (!root) return 0;
  await using _ = root;
  let blocks = (await root.info()).blocks;
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
  });
  return Number(blocks) * blockBytes;
}
