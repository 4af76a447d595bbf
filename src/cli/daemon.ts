/**
 * A cluster in the background: `up` starts `run` below a supervisor (supervise.sh), which starts it again when it dies,
 * and listens to it over IPC until it is ready or has failed; `down` ends both. On failure nothing is left running. The
 * process itself gives its start up when nobody listens any more.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { delimiter, resolve as resolvePath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownFile } from '../api/own-file.ts';
import { groupMembers, isAlive, type KnownProcess, knownProcess, processStat, sendSignal, writersOf } from '../client/processes.ts';
import type { PhaseReport } from '../cluster/cluster.ts';
import { containerdOf, type Instance, nodeDirs } from '../cluster/instance/instance.ts';
import { startedOf } from '../cluster/instance/started-processes.ts';
import { readLeftProcess, readSupervision, signalName } from '../cluster/instance/supervision.ts';
import { giveUpMsMax, stopMsMax } from '../cluster/machine/end-process.ts';
import { ownProcess } from '../cluster/machine/own-process.ts';
import { OperationError } from '../cluster/operation-error.ts';
import { containerdWords } from '../node/runtime/containerd-config.ts';
import { processesEnding } from '../node/runtime/processes.ts';
import { interruption, interrupts } from './interruption.ts';

/** Where things are. */
export interface ReadyReport {
  /** the real ones */
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
  readonly simulated: number;
}

/** What `run` tells its parent. */
export type DaemonMessage =
  | ({ readonly type: 'phase' } & PhaseReport)
  | ({ readonly type: 'ready' } & ReadyReport)
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly fix?: string | undefined };

export const tellParent = (message: DaemonMessage): void => {
  if (process.connected) process.send?.(message);
};

/** Longer than the process itself and its supervisor wait. */
export const stopTimeoutMs = stopMsMax + 30_000;
/** The same for a start that is given up. */
const hangMs = giveUpMsMax + 5_000;
const killMsMax = 5_000;
const adoptMsMax = 5_000;
const pollMs = 20;
/** Who waits longer wants to know what for. */
const slowMs = 1000;
const logTailBytes = 3000;
const supervisor = ownFile('cli/supervise.sh');

export interface DaemonOptions {
  /** how long until it is ready */
  readonly timeoutMs: number;
  readonly onPhase: (report: PhaseReport) => void;
}

/** It works in `/`: what names files from here has to name them from there. */
export function envOfDaemon(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { KUBECONFIG: files } = env;
  if (!files) return env;
  const absolute = files.split(delimiter).map((file) => file && resolvePath(file));
  return { ...env, KUBECONFIG: absolute.join(delimiter) };
}

/** When it rejects, neither the process nor its supervisor is there. */
export async function startDaemon(
  instance: Instance,
  args: readonly string[],
  { timeoutMs, onPhase }: DaemonOptions,
): Promise<ReadyReport> {
  instance.clearState(); // of a process that died: the supervisor takes it for this one's
  const logFd = openSync(instance.logFile, 'a', 0o600);
  const child = spawn('sh', [supervisor, instance.dir, ...ownProcess('cli/main'), 'run', ...args], {
    detached: true,
    stdio: ['ignore', logFd, logFd, 'ipc'],
    cwd: '/',
    env: envOfDaemon(),
  });
  closeSync(logFd);
  const { promise: started, resolve, reject } = Promise.withResolvers<ReadyReport>();
  let failure: OperationError | undefined;
  const stopChild = (signal: NodeJS.Signals): void => {
    child.kill('SIGTERM');
    failure ??= interruption(signal, { left: 'nothing is left' });
  };
  for (const signal of interrupts) process.once(signal, stopChild);
  const hung = setTimeout(() => {
    failure ??= new OperationError({
      code: 'timeout',
      message: `not ready after ${timeoutMs / 1000} s, and the cluster's process did not end: it was killed`,
      fix: `see ${instance.logFile}`,
    });
    if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
  }, timeoutMs + hangMs);
  child.on('error', reject);
  child.on('message', (message: DaemonMessage) => {
    if (message.type === 'phase') onPhase(message);
    else if (message.type === 'ready') resolve(message);
    else failure = new OperationError({ code: message.code, message: message.message, fix: message.fix ?? `see ${instance.logFile}` });
  });
  child.on('disconnect', () => child.kill('SIGTERM')); // nobody would hear how the start goes on
  child.on('exit', (code, signal) => {
    const message = `${describeEnd(code ?? 0, signal)}:\n${tailOf(instance.logFile)}`;
    reject(failure ?? new OperationError({ code: 'start-failed', message, fix: `see ${instance.logFile}` }));
  });
  try {
    const report = await started;
    child.removeAllListeners('disconnect').unref();
    return report;
  } catch (error) {
    child.removeAllListeners('message');
    if (child.pid !== undefined) await killGroup(child.pid);
    throw error;
  } finally {
    if (child.connected) child.disconnect();
    clearTimeout(hung);
    for (const signal of interrupts) process.off(signal, stopChild);
  }
}

/** Gives a process whose supervisor died a new one, which starts it again with `args`. */
export async function superviseAgain(instance: Instance, pid: number, args: readonly string[]): Promise<number> {
  const logFd = openSync(instance.logFile, 'a', 0o600);
  const words = [supervisor, instance.dir, '--adopt', String(pid), ...ownProcess('cli/main'), 'run', ...args];
  const child = spawn('sh', words, {
    detached: true,
    stdio: ['ignore', logFd, logFd],
    cwd: '/',
    env: envOfDaemon(),
  });
  closeSync(logFd);
  child.on('error', () => undefined).unref(); // told below
  const isSupervised = (): boolean => readSupervision(instance.dir)?.process === pid;
  if (child.pid !== undefined && (await waitWhile(() => !isSupervised(), adoptMsMax))) return child.pid;
  const fix = `timonier down ${instance.name}, then timonier up ${instance.name}`;
  throw new OperationError({ code: 'no-supervisor', message: `nothing restarts process ${pid} when it dies`, fix });
}

/** A clean end, SIGINT, SIGTERM: what the supervisor does not start again either. */
const stoppedCodes: ReadonlySet<number> = new Set([0, 130, 143]);

/** Of the supervisor. The shell's exit code of a program that a signal ended is 128 and the signal. */
function describeEnd(code: number, signal: NodeJS.Signals | null): string {
  if (signal) return `the cluster's supervisor ended (${signal}) before the cluster was ready, and its process was killed`;
  if (stoppedCodes.has(code)) return 'the cluster was stopped before it was ready';
  return `the cluster's process ended (${signalName(code - 128) ?? `exit ${code}`}) before it was ready`;
}

function tailOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-logTailBytes).trimEnd() : '';
}

/** Everything that a supervisor has started, and it itself, at once. */
async function killGroup(group: number): Promise<void> {
  sendSignal(-group, 'SIGKILL');
  if (!(await waitWhile(() => groupMembers(group).length > 0, killMsMax))) throw cannotKill(groupMembers(group));
}

/** The cluster's process and its supervisor, as far as they are there. The supervisor ends only after its process. */
function targetsOf(instance: Instance): KnownProcess[] {
  const told = targetsTold(instance);
  const found = startedOf(instance).filter(({ pid }) => told.every((each) => each.pid !== pid)); // whatever the files say
  return [...told, ...found.map(({ pid }) => knownProcess(pid))];
}

function targetsTold(instance: Instance): KnownProcess[] {
  const found = readSupervision(instance.dir) ?? readLeftProcess(instance.dir) ?? instance.startingInForeground;
  try {
    return [found, instance.running()].filter((target) => target !== undefined);
  } catch {
    return found ? [found] : writersOf(instance.logFile);
  }
}

/** Whether there is a process of the cluster, or something that would start it. */
export const isStarted = (instance: Instance): boolean => targetsOf(instance).length > 0;

export interface StopOptions {
  /** once, when it takes a while */
  readonly onSlow?: (processes: readonly number[]) => void;
}

/** Ends the process of a cluster and its supervisor: asks first, then kills. They are gone when it resolves or rejects; says whether they ended by themselves. */
export async function stopDaemon(instance: Instance, { onSlow }: StopOptions = {}): Promise<boolean> {
  const targets = targetsOf(instance);
  for (const { pid } of targets) sendSignal(pid, 'SIGTERM');
  resumeDaemon(instance);
  const isThere = (): boolean => targets.some(isAlive);
  if (await waitWhile(isThere, slowMs)) return true;
  onSlow?.(targets.filter(isAlive).map(({ pid }) => pid));
  if (await waitWhile(isThere, stopTimeoutMs)) return true;
  await killDaemon(instance);
  return false;
}

/** At once. What it has started beside containers goes with it or by itself. */
export async function killDaemon(instance: Instance): Promise<void> {
  const targets = targetsOf(instance);
  const group = groupOf(instance);
  if (group !== undefined) await killGroup(group);
  for (const { pid } of targets) sendSignal(pid, 'SIGKILL');
  if (!(await waitWhile(() => targets.some(isAlive), killMsMax))) throw cannotKill(targets);
}

const groupOf = (instance: Instance): number | undefined =>
  readSupervision(instance.dir)?.pid ??
  readLeftProcess(instance.dir)?.group ??
  startedOf(instance).find(({ pid, isSupervisor }) => isSupervisor && processStat(pid)?.group === pid)?.pid;

/** What a signal has stopped would not hear that it is to end: supervisor, process, nodes and their containerd. */
export function resumeDaemon(instance: Instance): void {
  const group = groupOf(instance);
  const members = group === undefined ? [] : groupMembers(group);
  const all = [...targetsOf(instance), ...members].map(({ pid }) => pid);
  const runtimes = nodeDirs(instance.dir).flatMap((dir) => processesEnding(containerdWords(containerdOf(dir))));
  for (const pid of new Set([...all, ...runtimes])) if (processStat(pid)?.state === 'T') sendSignal(pid, 'SIGCONT');
}

const cannotKill = (processes: readonly { readonly pid: number }[]): OperationError =>
  new OperationError({
    code: 'stop-timeout',
    message: `process ${processes.map(({ pid }) => pid).join(', ')} can't be killed: the kernel waits for something, perhaps a disk`,
    fix: 'see its state in /proc/PID/status; restart the machine',
  });

/** Whether it ends in time. */
async function waitWhile(isThere: () => boolean, durationMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < durationMs; waitedMs += pollMs) {
    if (!isThere()) return true;
    await sleep(pollMs);
  }
  return false;
}
