/**
 * What this machine has and can do, found by looking, never assumed: the ground for `doctor`, for the default number
 * of real nodes, and for the runtime's configuration. Reads /proc and the PATH only; changes nothing.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cniPluginDirs, findCniPlugins } from '../../node/network/cni.ts';
import { cgroupMounts } from '../../node/runtime/cgroup-mounts.ts';
import { describeWeaknesses, weaknessesOf } from '../../node/runtime/known-weaknesses.ts';
import { OperationError } from '../operation-error.ts';

const run = promisify(execFile);
const toolTimeoutMs = 5000;

export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly isRoot: boolean;
  /** Debian or a child of it: `--install` can use apt */
  readonly hasApt: boolean;
  /** absolute paths of programs, absent when not found */
  readonly programs: Readonly<Partial<Record<Program, string>>>;
  readonly containerdVersion?: string | undefined;
  readonly runcVersion?: string | undefined;
  /** directory with the standard CNI plugins (ptp, host-local, loopback) */
  readonly cniPluginDir?: string | undefined;
  readonly cgroups: 'v2' | 'v1' | 'hybrid' | 'none';
  /** what is mounted in one mount namespace appears in the others: containers can pass mounts on */
  readonly sharesMounts: boolean;
}

export const programs = ['containerd', 'ctr', 'containerd-shim-runc-v2', 'runc', 'nft', 'ip', 'nsenter', 'mount'] as const;
export type Program = (typeof programs)[number];

const extraDirs = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

interface Search {
  readonly path?: string | undefined;
  /** a file that is not meant, whatever leads to it */
  readonly except?: string;
}

export function findProgram(name: string, { path = process.env['PATH'] ?? '', except }: Search = {}): string | undefined {
  const dirs = [...path.split(delimiter), ...extraDirs].filter(Boolean);
  return dirs.map((dir) => join(dir, name)).find((file) => isExecutable(file) && !(except && isSameFile(file, except)));
}

function isSameFile(one: string, other: string): boolean {
  return existsSync(other) && realpathSync(one) === realpathSync(other);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function detectCgroups(): Promise<Machine['cgroups']> {
  const mounts = await cgroupMounts().catch(() => []); // no /proc, no cgroups
  const has = (version: 1 | 2): boolean => mounts.some((mount) => mount.version === version);
  if (has(1)) return has(2) ? 'hybrid' : 'v1';
  return has(2) ? 'v2' : 'none';
}

const noSharing = 'mounts are private here: containers with mountPropagation Bidirectional or HostToContainer do not start';
const shareMounts = 'mount --make-rshared /';

/** Whether the root's mount is shared, by /proc/self/mountinfo; the last one of several lies on top. Format: proc(5). */
export function sharesRoot(mountInfo: string): boolean {
  const root = mountInfo.split('\n').findLast((line) => line.split(' ')[4] === '/');
  return (
    root
      ?.split(' - ')[0]
      ?.split(' ')
      .some((field) => field.startsWith('shared:')) ?? false
  );
}

/** What a real node should say when it starts; undefined: nothing. */
export function mountProblem(): { readonly message: string; readonly fix: string } | undefined {
  return sharesRoot(readFileSync('/proc/self/mountinfo', 'utf8')) ? undefined : { message: noSharing, fix: shareMounts };
}

async function versionOf(file: string | undefined, ...args: string[]): Promise<string | undefined> {
  if (!file) return undefined;
  try {
    const { stdout } = await run(file, args, { timeout: toolTimeoutMs });
    return /\d+\.\d+[\w.+~-]*/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

export async function detectMachine(): Promise<Machine> {
  const found: Partial<Record<Program, string>> = {};
  for (const name of programs) {
    const file = findProgram(name);
    if (file) found[name] = file;
  }
  const [containerdVersion, runcVersion] = await Promise.all([
    versionOf(found.containerd, '--version'),
    versionOf(found.runc, '--version'),
  ]);
  const cniPluginDir = findCniPlugins();
  return {
    platform: platform(),
    arch: arch(),
    kernel: release(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    isRoot: process.getuid?.() === 0,
    hasApt: findProgram('apt-get') !== undefined,
    programs: found,
    containerdVersion,
    runcVersion,
    cniPluginDir,
    cgroups: await detectCgroups(),
    sharesMounts: platform() === 'linux' && mountProblem() === undefined,
  };
}

/** One thing looked at, and what to do when it is missing. */
export interface MachineCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string | undefined;
  /** It works, and is better mended. */
  readonly warning?: string | undefined;
}

const installHint = (machine: Machine): string =>
  machine.hasApt
    ? 'run: timonier up --install'
    : 'install containerd, runc, the CNI plugins, nftables and iproute2 with your package manager';

/** What a real node needs, in the order in which a user would mend it. */
export function checkMachine(machine: Machine): MachineCheck[] {
  const program = (name: Program, what: string, version?: string): MachineCheck => {
    const file = machine.programs[name];
    const weak = name === 'containerd' || name === 'runc' ? describeWeaknesses(weaknessesOf(name, version)) : '';
    return file
      ? { name: what, ok: true, detail: version ? `${file} ${version}` : file, warning: weak ? `known weaknesses: ${weak}` : undefined }
      : { name: what, ok: false, detail: `${name} was not found`, fix: installHint(machine) };
  };
  const linux = machine.platform === 'linux';
  return [
    {
      name: 'Linux',
      ok: linux,
      detail: `${machine.platform} ${machine.kernel} ${machine.arch}`,
      fix: linux ? undefined : 'real nodes need Linux; use --nodes 0 --simulated 1 here',
    },
    {
      name: 'root',
      ok: machine.isRoot,
      detail: machine.isRoot ? 'yes' : `no (uid ${process.getuid?.() ?? '?'})`,
      fix: machine.isRoot ? undefined : 'real nodes need root; run with sudo, or use --nodes 0 --simulated 1',
    },
    {
      name: 'cgroups',
      ok: machine.cgroups !== 'none',
      detail: machine.cgroups,
      fix: machine.cgroups === 'none' ? 'mount cgroup2 on /sys/fs/cgroup' : undefined,
    },
    ...(linux
      ? [
          {
            name: 'shared mounts',
            ok: true,
            detail: machine.sharesMounts ? 'yes' : 'no',
            ...(!machine.sharesMounts && { warning: noSharing, fix: shareMounts }),
          },
        ]
      : []),
    machine.programs.containerd && !machine.containerdVersion
      ? { name: 'containerd', ok: false, detail: `${machine.programs.containerd} does not tell its version`, fix: installHint(machine) }
      : program('containerd', 'containerd', machine.containerdVersion),
    program('containerd-shim-runc-v2', 'containerd shim'),
    program('runc', 'runc', machine.runcVersion),
    machine.cniPluginDir
      ? { name: 'CNI plugins', ok: true, detail: machine.cniPluginDir }
      : {
          name: 'CNI plugins',
          ok: false,
          detail: `ptp, host-local and loopback in none of ${cniPluginDirs.join(', ')}`,
          fix: installHint(machine),
        },
    program('nft', 'nftables'),
    program('ip', 'iproute2'),
    program('nsenter', 'nsenter'),
  ];
}

/** Whether real nodes can run here, and if not, what is missing, and how to begin to mend it. */
export function realNodesPossible(
  machine: Machine,
): { readonly ok: true } | { readonly ok: false; readonly missing: string; readonly fix: string } {
  const missing = checkMachine(machine).filter((check) => !check.ok);
  if (missing.length === 0) return { ok: true };
  return {
    ok: false,
    missing: missing.map(({ name, detail }) => `${name} (${detail})`).join(', '),
    fix: missing.find(({ fix }) => fix)?.fix ?? 'see `timonier doctor`',
  };
}

/** Real nodes were asked for, and are not possible. */
export function noRealNodes({ missing, fix }: { readonly missing: string; readonly fix: string }): OperationError {
  return new OperationError({ code: 'no-real-nodes', message: `real nodes are not possible here: ${missing}`, fix });
}
