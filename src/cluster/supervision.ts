/**
 * What starts a cluster's process again when it dies: the shell script that `up` leaves behind (src/cli/supervise.sh),
 * as it tells of itself in `supervisor.json`.
 */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { formatDuration } from '../api/meta/duration.ts';
import { parseJSON } from '../api/schema/json-scan.ts';
import { isAlive, isProcessId } from './instance.ts';

export interface Supervision {
  readonly pid: number;
  /** when it started, in the kernel's ticks; empty where the system does not say */
  readonly startTicks: string;
  /** how often it started the process again */
  readonly restarts: number;
  /** the process that it has started, while there is one */
  readonly process?: number;
  /** `signal 9` or `exit 70`, and when, in seconds since the epoch */
  readonly lastExit?: string;
  readonly lastExitAt?: number;
  /** in seconds since the epoch, while there is no process */
  readonly nextTryAt?: number;
}

/** Undefined when there is none, or it is gone. */
export function readSupervision(dir: string): Supervision | undefined {
  let supervision: Supervision;
  try {
    supervision = parseJSON(readFileSync(join(dir, supervisionFile), 'utf8')) as Supervision;
  } catch {
    return undefined; // never started, or stopped; a damaged one is written anew at the next event
  }
  const { pid, startTicks } = supervision;
  if (!isProcessId(pid)) return undefined;
  return isAlive({ pid, ...(startTicks && { startTicks }) }) ? supervision : undefined;
}

export const supervisionFile = 'supervisor.json';

/** For people: `process 12, started again 2 times; last exit: signal 9, 5s ago`. */
export function describeSupervision(supervision: Supervision | undefined, nowMs: number): string {
  if (!supervision) return 'none: when the process dies, nothing starts it again';
  const { pid, restarts, lastExit } = supervision;
  if (restarts === 0)
    return `process ${pid}; ${lastExit === undefined ? 'it has not had to start anything again' : 'about to start it again for the first time'}`;
  return `process ${pid}, started again ${restarts === 1 ? 'once' : `${restarts} times`}; last exit: ${describeLastExit(supervision, nowMs)}`;
}

/** `signal 9 (SIGKILL), 5s ago` */
function describeLastExit({ lastExit = 'unknown', lastExitAt = 0 }: Supervision, nowMs: number): string {
  const number = /^signal (\d+)$/.exec(lastExit)?.[1];
  const name = number === undefined ? undefined : signalName(Number(number));
  return `${lastExit}${name ? ` (${name})` : ''}, ${formatDuration(Math.max(0, nowMs - lastExitAt * 1000))} ago`;
}

export const signalName = (number: number): string | undefined =>
  Object.entries(constants.signals).find(([, each]) => each === number)?.[0];

/** What a cluster whose process is not there, or not ready, waits for. */
export function describeWaiting(supervision: Supervision, nowMs: number): string {
  if (supervision.process !== undefined) return `${supervision.process}, starting`;
  const inMs = Math.max(0, (supervision.nextTryAt ?? 0) * 1000 - nowMs);
  return `none; it ended by ${describeLastExit(supervision, nowMs)}, and is started again in ${Math.ceil(inMs / 1000)} s`;
}
