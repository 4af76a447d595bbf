/**
 * The cgroup of each pod, below one of its QoS class, with the pod's own limits. The runtime puts containers below it.
 * Works on cgroup v2, on v1, and on both at once; with the systemd driver the runtime makes the slices, and pods have no
 * limits of their own.
 * Upstream: pkg/kubelet/cm/pod_container_manager_linux.go, cgroup_manager_linux.go, qos_container_manager_linux.go.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../../api/generated/core-v1.ts';
import { cgroupMounts } from '../../runtime/cgroup-mounts.ts';
import type { LinuxContainerResources } from '../../runtime/cri-types.ts';
import { type CgroupDriver, cgroupParent, podCgroupNames, podCgroupResources } from '../container/container-resources.ts';

/** Where cgroups are mounted: one place with v2, one per controller with v1. */
export interface CgroupHierarchy {
  readonly path: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

export interface PodCgroupsOptions {
  readonly driver: CgroupDriver;
  /** names below the root: one of its own for each node of a machine */
  readonly root: readonly string[];
  /** none: nothing is made */
  readonly hierarchies: readonly CgroupHierarchy[];
}

const wantedControllers = ['cpu', 'memory'];

export class PodCgroups {
  readonly #options: PodCgroupsOptions;

  constructor(options: PodCgroupsOptions) {
    this.#options = options;
  }

  /** What the sandbox's configuration says. */
  parentOf(pod: Pod): string {
    return cgroupParent(podCgroupNames(pod, this.#options.root), this.#options.driver);
  }

  ensure(pod: Pod): Promise<void> {
    return this.#set(pod, podCgroupResources(pod));
  }

  /** Room for what the pod has and for what it is to have. */
  grow(from: Pod, to: Pod): Promise<void> {
    return this.#set(to, largerResources(podCgroupResources(from), podCgroupResources(to)));
  }

  async #set(pod: Pod, resources: LinuxContainerResources): Promise<void> {
    if (this.#options.driver === 'systemd') return;
    const names = podCgroupNames(pod, this.#options.root);
    for (const hierarchy of this.#options.hierarchies.filter(isLimiting)) {
      await makeGroups(hierarchy, names);
      for (const { file, value } of planCgroupFiles(hierarchy, resources)) {
        await writeFile(join(hierarchy.path, ...names, file), value);
      }
    }
  }

  /** In every hierarchy, as the runtime makes groups in all of them, and below every class: it may not be known any more. */
  async remove(pod: Pod): Promise<void> {
    if (this.#options.driver === 'systemd') return;
    for (const qosClass of ['Guaranteed', 'Burstable', 'BestEffort'] as const) {
      const names = podCgroupNames({ ...pod, status: { qosClass } }, this.#options.root);
      for (const { path } of this.#options.hierarchies) await removeGroups(join(path, ...names));
    }
  }
}

/** Of each limit the larger; what one of them does not limit is not limited. Pure. */
export function largerResources(a: LinuxContainerResources, b: LinuxContainerResources): LinuxContainerResources {
  const limit = (one: number | undefined, other: number | undefined): number => (one && other ? Math.max(one, other) : 0);
  const memoryLimitInBytes = limit(a.memoryLimitInBytes, b.memoryLimitInBytes);
  const cpuPeriod = a.cpuPeriod ?? b.cpuPeriod;
  return {
    cpuShares: Math.max(a.cpuShares ?? 0, b.cpuShares ?? 0),
    ...(cpuPeriod !== undefined && { cpuPeriod, cpuQuota: limit(a.cpuQuota, b.cpuQuota) }),
    ...(memoryLimitInBytes > 0 && { memoryLimitInBytes }),
  };
}

const isLimiting = ({ controllers }: CgroupHierarchy): boolean => wantedControllers.some((c) => controllers.includes(c));

async function makeGroups({ path, version, controllers }: CgroupHierarchy, names: readonly string[]): Promise<void> {
  let at = path;
  for (const name of names) {
    if (version === 2) {
      const enabled = wantedControllers.filter((c) => controllers.includes(c)).map((c) => `+${c}`);
      await writeFile(join(at, 'cgroup.subtree_control'), enabled.join(' '));
    }
    at = join(at, name);
    await mkdir(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function removeGroups(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeGroups(join(path, entry.name));
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Which files of a pod's cgroup get which values. Pure. */
export function planCgroupFiles(
  { version, controllers }: Pick<CgroupHierarchy, 'version' | 'controllers'>,
  { cpuShares, cpuPeriod, cpuQuota, memoryLimitInBytes }: LinuxContainerResources,
): readonly { readonly file: string; readonly value: string }[] {
  const files: { file: string; value: string }[] = [];
  const add = (file: string, value: string | number): unknown => files.push({ file, value: String(value) });
  if (controllers.includes('cpu')) {
    if (version === 1) {
      if (cpuShares !== undefined) add('cpu.shares', cpuShares);
      if (cpuPeriod !== undefined) add('cpu.cfs_period_us', cpuPeriod);
      if (cpuQuota !== undefined) add('cpu.cfs_quota_us', cpuQuota || -1);
    } else {
      if (cpuShares !== undefined) add('cpu.weight', sharesToWeight(cpuShares));
      if (cpuPeriod !== undefined) add('cpu.max', `${cpuQuota || 'max'} ${cpuPeriod}`);
    }
  }
  if (controllers.includes('memory') && memoryLimitInBytes !== undefined && memoryLimitInBytes > 0) {
    add(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', memoryLimitInBytes);
  }
  return files;
}

/** v1's range of 2 to 262144 onto v2's of 1 to 10000. */
export const sharesToWeight = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262142);

/** What this machine has mounted. */
export async function detectCgroupHierarchies(): Promise<readonly CgroupHierarchy[]> {
  return await Promise.all(
    (await cgroupMounts()).map(async ({ path, version, options }) => {
      if (version === 1) return { path, version, controllers: options };
      const controllers = await readFile(join(path, 'cgroup.controllers'), 'utf8').catch(() => '');
      return { path, version, controllers: controllers.trim().split(/\s+/) };
    }),
  );
}
