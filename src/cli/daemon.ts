/**
 * A cluster in the background: `up` starts `run` as a process of its own and listens to it over IPC until it is ready
 * or has failed; `down` ends it. On failure nothing is left running.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PhaseReport } from '../cluster/cluster.ts';
import { type Instance, type InstanceState, isAlive } from '../cluster/instance.ts';
import { OperationError } from '../cluster/operation-error.ts';

/** What `run` tells its parent. */
export type DaemonMessage =
  | ({ readonly type: 'phase' } & PhaseReport)
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly fix: string };

export const tellParent = (message: DaemonMessage): void => {
  if (process.connected) process.send?.(message);
};

/** How long `down` waits for the pods to end before it kills. */
const stopTimeoutMs = 90_000;
const pollMs = 20;
const logTailBytes = 3000;
/** As the launcher has it; an installed package has no launcher. */
const nodeFlags = ['--max-semi-space-size=4'];

export function startDaemon(instance: Instance, args: readonly string[], onPhase: (report: PhaseReport) => void): Promise<void> {
  const logFd = openSync(instance.logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...nodeFlags, ...process.execArgv, process.argv[1] ?? '', 'run', ...args], {
    detached: true,
    stdio: ['ignore', logFd, logFd, 'ipc'],
    cwd: '/',
  });
  closeSync(logFd);
  return new Promise((resolve, reject) => {
    const stopChild = (): void => {
      if (child.pid !== undefined) child.kill('SIGTERM');
    };
    process.once('SIGINT', stopChild);
    process.once('SIGTERM', stopChild);
    child.on('error', reject);
    child.on('message', (message: DaemonMessage) => {
      if (message.type === 'phase') return onPhase(message);
      if (message.type === 'failed') {
        failure = new OperationError({ code: message.code, message: message.message, fix: `${message.fix} (log: ${instance.logFile})` });
        return;
      }
      process.off('SIGINT', stopChild);
      process.off('SIGTERM', stopChild);
      child.disconnect();
      child.unref();
      resolve();
    });
    let failure: OperationError | undefined;
    child.on('exit', (code, signal) => {
      reject(
        failure ??
          new OperationError({
            code: 'start-failed',
            message: `the cluster's process ended (${signal ?? `exit ${code}`}) before it was ready:\n${tailOf(instance.logFile)}`,
            fix: `see ${instance.logFile}`,
          }),
      );
    });
  });
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').slice(-logTailBytes).trimEnd();
}

/** Ends the process of a cluster: asks first, then kills. Resolves when it is gone. */
export async function stopDaemon(state: InstanceState): Promise<void> {
  process.kill(state.pid, 'SIGTERM');
  const rounds = stopTimeoutMs / pollMs;
  for (let i = 0; i < rounds; i++) {
    if (!isAlive(state)) return;
    await sleep(pollMs);
  }
  process.kill(state.pid, 'SIGKILL');
  throw new OperationError({
    code: 'stop-timeout',
    message: `process ${state.pid} did not stop within ${stopTimeoutMs / 1000} s and was killed`,
    fix: 'its containers may still run: `timonier up` takes them over, `timonier delete` removes them',
  });
}
