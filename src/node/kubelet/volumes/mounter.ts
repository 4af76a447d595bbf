/**
 * The seam to the kernel's mounts. The real one calls mount(8) and umount(8); a kubelet without real containers has
 * none, and then touches no file either.
 * Upstream: k8s.io/mount-utils.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { mountPoints } from '../../files/mounts.ts';

const run = promisify(execFile);

export interface Mounter {
  /** Never swapped, where the kernel can do that. Mounted already: nothing happens. */
  tmpfs(dir: string, options?: { readonly sizeBytes?: number }): Promise<void>;
  bind(source: string, target: string, options?: { readonly readOnly?: boolean }): Promise<void>;
  /** Nothing mounted there: nothing happens. */
  unmount(target: string): Promise<void>;
  isMountPoint(path: string): Promise<boolean>;
  /** Mount points below a directory, deepest first. */
  mountsBelow(dir: string): Promise<readonly string[]>;
}

export const realMounter: Mounter = {
  async tmpfs(dir, { sizeBytes } = {}) {
    if (await this.isMountPoint(dir)) return;
    const options = [...(sizeBytes ? [`size=${sizeBytes}`] : []), ...((await canForbidSwap()) ? ['noswap'] : [])];
    await mount(['-t', 'tmpfs', ...(options.length > 0 ? ['-o', options.join()] : []), 'tmpfs', dir]);
  },
  async bind(source, target, { readOnly } = {}) {
    await mount(['--no-canonicalize', '--bind', source, target]);
    if (readOnly) await mount(['-o', 'remount,bind,ro', target]);
  },
  async unmount(target) {
    if (!(await this.isMountPoint(target))) return;
    await run('umount', [target]).catch(() => run('umount', ['--lazy', target]));
  },
  async isMountPoint(path) {
    return (await mountPoints()).includes(path);
  },
  async mountsBelow(dir) {
    return (await mountPoints()).filter((point) => point === dir || point.startsWith(`${dir}/`)).toReversed();
  },
};

/** The kernel knows the option, and grants it to the users of the machine's first namespace. Upstream: pkg/kubelet/util/swap. */
async function canForbidSwap(): Promise<boolean> {
  return knowsNoSwap(release()) && isOfFirstUsers(await readFile('/proc/self/uid_map', 'utf8').catch(() => ''));
}

/** Since Linux 6.4. */
export function knowsNoSwap(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 4);
}

/** All users of the machine, each as himself: not a user namespace. */
export const isOfFirstUsers = (uidMap: string): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(uidMap);

async function mount(args: readonly string[]): Promise<void> {
  try {
    await run('mount', [...args]);
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`mount failed: ${stderr}\nMounting arguments: ${args.join(' ')}`, { cause: error });
  }
}
