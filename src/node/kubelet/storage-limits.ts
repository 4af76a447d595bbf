/**
 * Pods that take more of the node's disk than they may: emptyDir volumes with a size limit, containers and pods with a
 * limit of ephemeral storage. Pure, but for the measuring.
 * Upstream: pkg/kubelet/eviction/eviction_manager.go (localStorageEviction).
 */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '../../api/generated/core-v1.ts';
import { quantityValue } from '../../api/meta/quantity.ts';

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

/** What a directory takes on disk; what vanishes meanwhile counts nothing. */
export async function measureDirectory(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  let total = (await lstat(path).catch(() => undefined))?.blocks ?? 0;
  total *= blockBytes;
  for (const entry of entries) {
    const inner = join(path, entry.name);
    total += entry.isDirectory() ? await measureDirectory(inner) : ((await lstat(inner).catch(() => undefined))?.blocks ?? 0) * blockBytes;
  }
  return total;
}
