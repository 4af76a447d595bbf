/**
 * What starts a cluster's process again when it dies: the shell script that `up` leaves behind (src/cli/supervise.sh),
 * as it tells of itself in `supervisor.json`. Which process there is, is looked up: the file may be older than that, when
 * the disk was full.
 */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { commandLine, groupMembers, isAlive, isProcessId, type KnownProcess, knownProcess } from '../../client/processes.ts';
import { startedProcess } from './started-processes.ts';

export interface Supervision {
  readonly pid: number;
  /** when it started, in the kernel's ticks; empty where the system does not say */
  readonly startTicks: string;
  /** how often it started the process again */
  readonly restarts: number;
  /** the process that it has started, while there is one */
  readonly process?: number | undefined;
  /** `signal 9` or `exit 70`, and when, in seconds since the epoch */
  readonly lastExit?: string | undefined;
  readonly lastExitAt?: number | undefined;
  /** in seconds since the epoch, while there is no process */
  readonly nextTryAt?: number | undefined;
}

/** Undefined when there is none, or it is gone. */
export function readSupervision(dir: string): Supervision | undefined {
  const told = readTold(dir);
  return told && isThere(told) ? asSeen(told) : undefined;
}

export interface LeftProcess extends KnownProcess {
  readonly group: number;
}

/** The cluster's process, ready or not, that a supervisor which is gone has left. */
export function readLeftProcess(dir: string): LeftProcess | undefined {
  const told = readTold(dir);
  if (!told || isAlive({ pid: told.pid })) return undefined; // a living one of this number has a group of its own
  const { process } = asSeen(told);
  if (process === undefined || !groupMembers(told.pid).some(({ pid }) => pid === process)) return undefined;
  return { group: told.pid, ...knownProcess(process) };
}

function readTold(dir: string): Supervision | undefined {
  try {
    const told = parseJSON(readFileSync(join(dir, supervisionFile), 'utf8')) as Supervision;
    return isWhole(told) ? told : undefined;
  } catch {
    return undefined; // never started, or stopped; a damaged one is written anew at the next event
  }
}

function isWhole({ pid, startTicks, restarts, process, lastExit, lastExitAt, nextTryAt }: Supervision): boolean {
  const texts = [startTicks, lastExit].every((value) => value === undefined || typeof value === 'string');
  const numbers = [process, lastExitAt, nextTryAt].every((value) => value === undefined || Number.isInteger(value));
  return isProcessId(pid) && Number.isInteger(restarts) && texts && numbers;
}

const isThere = ({ pid, startTicks }: Supervision): boolean => isAlive({ pid, startTicks: startTicks || undefined });

function asSeen(told: Supervision): Supervision {
  const group = groupMembers(told.pid);
  if (group.length === 0 || group.some(({ pid }) => pid === told.process)) return told;
  if (told.process !== undefined && startedProcess(told.process)) return told; // adopted: of another group
  const process = group.find(({ pid }) => isCluster(pid))?.pid;
  if (process === told.process) return told;
  const { process: _, nextTryAt, ...rest } = told;
  return { ...rest, process, nextTryAt: process === undefined ? nextTryAt : undefined };
}

/** By its command line; those of the supervisor's own subshells are the supervisor's. */
function isCluster(pid: number): boolean {
  const args = commandLine(pid);
  return args.includes('run') && !args[1]?.endsWith('.sh');
}

/** Under way, before anything of the cluster ended. */
export const isFirstStart = ({ restarts, lastExit }: Supervision): boolean => restarts === 0 && lastExit === undefined;

export const supervisionFile = 'supervisor.json';

export const signalName = (number: number): string | undefined =>
  Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
