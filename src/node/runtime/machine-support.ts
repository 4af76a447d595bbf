/**
 * What the machine allows containers to do, found by looking. Each answer decides one line of containerd's
 * configuration; a wrong one lets every sandbox fail.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Snapshotter = 'overlayfs' | 'native';

export interface MachineSupport {
  readonly containerdVersion: ContainerdVersion;
  /** as runc says it; absent: it does not */
  readonly runcVersion?: string | undefined;
  /** Without CAP_SYS_RESOURCE an OOM score can't be lowered, and runc dies when it is told to. */
  readonly canLowerOomScore: boolean;
  readonly snapshotter: Snapshotter;
}

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
  /** as containerd says it */
  readonly text: string;
}

/** bit of CAP_SYS_RESOURCE in /proc/PID/status */
const capSysResource = 24n;

export async function detectSupport(options: { readonly containerd: string; readonly dir: string }): Promise<MachineSupport> {
  const [containerdVersion, runcVersion, canLowerOomScore, snapshotter] = await Promise.all([
    run(options.containerd, ['--version']).then(({ stdout }) => parseContainerdVersion(stdout)),
    run('runc', ['--version']).then(
      ({ stdout }) => /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0],
      () => undefined,
    ),
    readFile('/proc/self/status', 'utf8').then((status) => hasCapability(status, capSysResource)),
    detectSnapshotter(options.dir),
  ]);
  return { containerdVersion, runcVersion, canLowerOomScore, snapshotter };
}

/** `containerd github.com/containerd/containerd 1.6.20~ds1 …`, `containerd github.com/containerd/containerd/v2 v2.0.0 …` */
export function parseContainerdVersion(output: string): ContainerdVersion {
  const [, text = '', major = '', minor = ''] = /\sv?((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  if (text === '') throw new Error(`not a version of containerd: ${output.trim()}`);
  return { major: Number(major), minor: Number(minor), text };
}

export function hasCapability(procStatus: string, bit: bigint): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(procStatus) ?? [];
  return ((BigInt(`0x${mask}`) >> bit) & 1n) === 1n;
}

/** Mounts an overlay on the very file system that will hold the images, in a mount namespace of its own. */
async function detectSnapshotter(dir: string): Promise<Snapshotter> {
  await mkdir(dir, { recursive: true });
  const trial = await mkdtemp(join(dir, 'overlay-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(trial, name)) as [
    string,
    string,
    string,
    string,
  ];
  try {
    await Promise.all([lower, upper, work, merged].map((path) => mkdir(path)));
    await run('unshare', [
      '--mount',
      'mount',
      '-t',
      'overlay',
      'overlay',
      '-o',
      `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      merged,
    ]);
    return 'overlayfs';
  } catch {
    return 'native'; // copies instead of layers: slower, but works everywhere
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
