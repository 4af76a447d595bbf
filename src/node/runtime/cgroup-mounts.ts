/** Where this machine has its cgroups, and of which version. Format: proc(5), mounts; cgroups(7). */
import { readFile } from 'node:fs/promises';
import { own } from '../../api/meta/words.ts';

export interface CgroupMount {
  readonly path: string;
  readonly version: 1 | 2;
  /** of v1: its controllers, among other words */
  readonly options: readonly string[];
}

/** Other mounts of cgroups, a container's say, are not the machine's. */
const root = '/sys/fs/cgroup';
const versions: Readonly<Record<string, 1 | 2>> = { cgroup: 1, cgroup2: 2 };

/** Rejects where there is no /proc. */
export async function cgroupMounts(): Promise<readonly CgroupMount[]> {
  return parseCgroupMounts(await readFile('/proc/self/mounts', 'utf8'));
}

export function parseCgroupMounts(mounts: string): readonly CgroupMount[] {
  return mounts.split('\n').flatMap((line) => {
    const [, path = '', type = '', options = ''] = line.split(' ');
    const version = own(versions, type);
    if (!version || (path !== root && !path.startsWith(`${root}/`))) return [];
    return [{ path, version, options: options.split(',') }];
  });
}
