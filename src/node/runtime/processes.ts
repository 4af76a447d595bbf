/** Processes that are not our children: finding them by what /proc says, and ending exactly those. */
import { statSync } from 'node:fs';
import type { Clock } from '../../client/clock.ts';
import { commandLine, hasOurMounts, isAlive, processFile, processIds, processStat, sendSignal } from '../../client/processes.ts';

const pollMs = 10;
const killMsMax = 5000;

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
}

export const listProcesses = (): Process[] =>
  processIds().flatMap((pid) => {
    const stat = processStat(pid);
    return stat && stat.state !== 'Z' ? [{ pid, parent: stat.parent, args: commandLine(pid) }] : [];
  });

/** Of the containerd that has this socket: each looks after one pod, also when containerd is gone. */
export const shimsOf = (socket: string): Process[] =>
  listProcesses().filter(({ args }) => args.includes('-address') && args.includes(socket));

/**
 * Those whose command line ends with these words, the last of which is a path that they see as we do: one in a container,
 * where it leads elsewhere, is another machine's.
 */
export function processesEnding(words: readonly string[]): number[] {
  const end = `\0${words.join('\0')}\0`;
  const path = words.at(-1) ?? '';
  return processIds().filter(
    (pid) => processFile(pid, 'cmdline').endsWith(end) && (hasOurMounts(pid) || isSameFile(path, `/proc/${pid}/root${path}`)),
  );
}

/** As for a service that has mounts of its own, but these files. */
function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}

/** SIGTERM where there is a grace period, then SIGKILL, then waits until they are gone. */
export async function endProcesses(pids: readonly number[], options: { readonly clock: Clock; readonly graceMs: number }): Promise<void> {
  const { clock, graceMs } = options;
  let left = [...pids];
  const waitUntilGone = async (durationMs: number): Promise<void> => {
    const endMs = clock.monotonic() + durationMs;
    for (;;) {
      left = left.filter((pid) => isAlive({ pid }));
      if (left.length === 0 || clock.monotonic() > endMs) return;
      await clock.sleep(pollMs);
    }
  };
  if (graceMs > 0) {
    for (const pid of left) sendSignal(pid, 'SIGTERM');
    await waitUntilGone(graceMs);
  }
  for (const pid of left) sendSignal(pid, 'SIGKILL');
  await waitUntilGone(killMsMax);
  if (left.length > 0) throw new Error(`processes that can not be ended: ${left.join(', ')}`);
}
