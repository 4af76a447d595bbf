/** What processes use, read from /proc: processor time with all children, and memory. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ: 100 wherever Node runs. */
const msPerTick = 10;

/** Fields of /proc/PID/stat after the name, by their index there. */
const field = { userTicks: 11, systemTicks: 12, childUserTicks: 13, childSystemTicks: 14 } as const;

/** Processor time that the processes and their descendants have taken, milliseconds. */
export function cpuMsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of withDescendants(pids)) {
    const stat = readProc(`${pid}/stat`);
    if (stat === undefined) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const index of Object.values(field)) ticks += Number(fields[index]);
  }
  return ticks * msPerTick;
}

export interface Memory {
  readonly rssMB: number;
  /** without mapped files: LMDB's map counts as resident, and the system may take it back */
  readonly anonymousMB: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let rss = 0;
  let anonymous = 0;
  for (const pid of withDescendants(pids)) {
    const status = readProc(`${pid}/status`) ?? '';
    rss += kilobytes(status, 'VmRSS');
    anonymous += kilobytes(status, 'RssAnon');
  }
  return { rssMB: Math.round(rss / 1024), anonymousMB: Math.round(anonymous / 1024) };
}

const kilobytes = (status: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);

function withDescendants(pids: readonly number[]): Set<number> {
  const found = new Set<number>();
  const pending = [...pids];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    for (const thread of threadsOf(pid)) {
      for (const child of (readProc(`${pid}/task/${thread}/children`) ?? '').split(' ')) if (child) pending.push(Number(child));
    }
  }
  return found;
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return undefined; // it has ended
  }
}
