/** Processes that are not our children: finding them by what /proc says, and ending exactly those. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '../../client/clock.ts';
import { parseProcessStat } from '../../client/process-stat.ts';

const pollMs = 10;
const killMsMax = 5000;

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
}

export async function listProcesses(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const [args, stat] = await Promise.all([readFile(`/proc/${pid}/cmdline`, 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')]);
        const { state, parent } = parseProcessStat(stat);
        return state === 'Z' ? undefined : { pid: Number(pid), parent, args: args.split('\0') };
      } catch {
        return undefined; // it ended meanwhile
      }
    }),
  );
  return found.filter((process) => process !== undefined);
}

/** Of the containerd that has this socket: each looks after one pod, also when containerd is gone. */
export const shimsOf = async (socket: string): Promise<Process[]> =>
  (await listProcesses()).filter(({ args }) => args.includes('-address') && args.includes(socket));

/**
 * Those whose command line ends with these words, the last of which is a path that they see as we do: one in a container,
 * where it leads elsewhere, is another machine's.
 */
export function processesEnding(words: readonly string[]): number[] {
  const end = `\0${words.join('\0')}\0`;
  const path = words.at(-1) ?? '';
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && (says(`/proc/${name}/cmdline`) ?? '').endsWith(end) && seesAsWeDo(name, path))
    .map(Number);
}

/** By its mount namespace; else, as a service with a /tmp of its own, by the file. */
const seesAsWeDo = (pid: string, path: string): boolean =>
  mountsOf(pid) === mountsOf('self') || (fileID(path) !== undefined && fileID(path) === fileID(`/proc/${pid}/root${path}`));

const orNothing =
  <T>(read: (path: string) => T) =>
  (path: string): T | undefined => {
    try {
      return read(path);
    } catch {
      return undefined; // it ended meanwhile, or is not there
    }
  };
const says = orNothing((path) => readFileSync(path, 'utf8'));
const mountsOf = orNothing((pid) => readlinkSync(`/proc/${pid}/ns/mnt`));
const fileID = orNothing((path) => {
  const { dev, ino } = statSync(path);
  return `${dev}.${ino}`;
});

/** SIGTERM where there is a grace period, then SIGKILL, then waits until they are gone. */
export async function endProcesses(pids: readonly number[], options: { readonly clock: Clock; readonly graceMs: number }): Promise<void> {
  const { clock, graceMs } = options;
  let left = [...pids];
  const waitUntilGone = async (durationMs: number): Promise<void> => {
    const endMs = clock.monotonic() + durationMs;
    for (;;) {
      const alive = await Promise.all(left.map(isAlive));
      left = left.filter((_, index) => alive[index]);
      if (left.length === 0 || clock.monotonic() > endMs) return;
      await clock.sleep(pollMs);
    }
  };
  if (graceMs > 0) {
    for (const pid of left) signal(pid, 'SIGTERM');
    await waitUntilGone(graceMs);
  }
  for (const pid of left) signal(pid, 'SIGKILL');
  await waitUntilGone(killMsMax);
  if (left.length > 0) throw new Error(`processes that can not be ended: ${left.join(', ')}`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A zombie is gone as far as its files, mounts and namespaces go. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && parseProcessStat(stat).state !== 'Z';
}
