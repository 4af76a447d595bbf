/**
 * Keeps one program running: starts it in a session of its own with its output in a file, starts it again with
 * back-off when it dies, and stops it. A program left over by a killed parent is found by its command line and ended
 * first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { endProcesses, processesEnding } from './processes.ts';

export interface KeptProcessOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** The last words of the command line, by which a process left over is known. The very last is a path. */
  readonly mark: readonly string[];
  readonly logFile: string;
  readonly clock: Clock;
  readonly log: Log;
}

const restartMsMin = 100;
const restartMsMax = 10_000;
/** One that ran for so long starts again without delay. */
const steadyMs = 60_000;
const stopMsMax = 10_000;
const logBytesMax = 16 * 2 ** 20;

export class KeptProcess implements AsyncDisposable {
  readonly #options: KeptProcessOptions;
  readonly #stopped = new AbortController();
  #child: ChildProcess | undefined;
  #keeping: Promise<void> = Promise.resolve();
  readonly #died = Promise.withResolvers<void>();

  private constructor(options: KeptProcessOptions) {
    this.#options = options;
  }

  static async start(options: KeptProcessOptions): Promise<KeptProcess> {
    await endLeftover(options);
    await rotate(options.logFile);
    const kept = new KeptProcess(options);
    const child = await kept.#spawn();
    kept.#keeping = kept.#keep(child);
    return kept;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it ends for the first time without having been stopped. */
  get died(): Promise<void> {
    return this.#died.promise;
  }

  async #spawn(): Promise<ChildProcess> {
    const { command, logFile } = this.#options;
    const [program, ...args] = command;
    const output = openSync(logFile, 'a', 0o600);
    try {
      const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output] });
      await once(child, 'spawn');
      this.#child = child;
      return child;
    } finally {
      closeSync(output);
    }
  }

  async #keep(first: ChildProcess): Promise<void> {
    const { clock, log, name } = this.#options;
    let restartMs = restartMsMin;
    for (let child = first; ; ) {
      const startedMs = clock.monotonic();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      if (this.#stopped.signal.aborted) return;
      this.#died.resolve();
      if (clock.monotonic() - startedMs > steadyMs) restartMs = restartMsMin;
      log.warn({ exitCode: child.exitCode, signal: child.signalCode, restartMs }, `${name} ended and is started again`);
      try {
        await clock.sleep(restartMs, this.#stopped.signal);
        child = await this.#spawn();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        log.error({ error }, `${name} can not be started`);
      }
      restartMs = Math.min(restartMs * 2, restartMsMax);
    }
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return this.#keeping;
    this.#stopped.abort();
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      using _kill = this.#options.clock.setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      child.kill('SIGTERM');
      await exited;
    }
    await this.#keeping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Ends what a killed parent left running. */
export async function endLeftover({
  mark,
  clock,
  graceMs = stopMsMax,
}: Pick<KeptProcessOptions, 'mark' | 'clock'> & { readonly graceMs?: number }): Promise<void> {
  await endProcesses(processesEnding(mark), { clock, graceMs });
}

async function rotate(file: string): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size > logBytesMax) await rename(file, `${file}.1`);
}
