/**
 * Processes of this machine, not only our own, as /proc shows them to this user: where there is no /proc there are none,
 * and what has ended meanwhile, or is another user's, says nothing.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One that was met before. */
export interface KnownProcess {
  readonly pid: number;
  /** when it started, in the kernel's ticks: tells it from another with the same number */
  readonly startTicks?: string | undefined;
}

/** What /proc/PID/stat says of it. */
export interface ProcessStat {
  /** `R`, `S`, `T`, …; `Z`: it has ended, and nobody has asked how */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** the group that gets the signals of its terminal's keys */
  readonly terminalGroup: number;
  /** when it started, in ticks of the kernel since the boot: tells it from another with the same number */
  readonly startTicks: string;
}

/** Not 0, 1 or less, which as the target of a signal would be something else. */
export const isProcessId = (pid: unknown): pid is number => Number.isInteger(pid) && (pid as number) > 1;

export const processIds = (): number[] =>
  namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** One of its files in /proc, such as `cmdline`; '' when it says nothing. */
export const processFile = (pid: number, name: string): string => textOf(`/proc/${pid}/${name}`);

/** Its words; [''] when it says nothing. */
export const commandLine = (pid: number): string[] => processFile(pid, 'cmdline').split('\0');

export function processStat(pid: number): ProcessStat | undefined {
  const text = processFile(pid, 'stat');
  return text === '' ? undefined : parseProcessStat(text);
}

/** Fields from the third on, after the name, which is in parentheses and may hold anything. Format: proc(5). */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group, , , terminalGroup] = fields;
  return { state, parent: Number(parent), group: Number(group), terminalGroup: Number(terminalGroup), startTicks: fields[19] ?? '' };
}

export const knownProcess = (pid: number): KnownProcess => ({ pid, startTicks: processStat(pid)?.startTicks });

export function isAlive({ pid, startTicks }: KnownProcess): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const stat = processStat(pid);
  if (stat?.state === 'Z') return false; // ended, but nobody asked how: containers often have no init
  return startTicks === undefined || stat?.startTicks === startTicks;
}

/** The living ones of a process group, with their parents. */
export const groupMembers = (group: number): { readonly pid: number; readonly parent: number }[] =>
  processIds().flatMap((pid) => {
    const stat = processStat(pid);
    return stat?.group === group && stat.state !== 'Z' ? [{ pid, parent: stat.parent }] : [];
  });

/** What their output goes into is this file. */
export const writersOf = (file: string): KnownProcess[] =>
  processIds()
    .filter((pid) => linkOf(`/proc/${pid}/fd/1`) === file)
    .map((pid) => ({ pid }));

/** What it has open: paths, and `socket:[INODE]`. */
export const openFiles = (pid: number): string[] => namesIn(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));

/** It sees the same files as this process: one in a container, where a path may lead elsewhere, does not. */
export const hasOurMounts = (pid: number): boolean => linkOf(`/proc/${pid}/ns/mnt`) === linkOf('/proc/self/ns/mnt');

/** One that is gone needs none. A negative number is a group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const orNothing =
  <T>(read: (path: string) => T, nothing: T) =>
  (path: string): T => {
    try {
      return read(path);
    } catch {
      return nothing;
    }
  };
const textOf = orNothing((path) => readFileSync(path, 'utf8'), '');
const namesIn = orNothing<string[]>((path) => readdirSync(path), []);
const linkOf = orNothing((path) => readlinkSync(path), '');
