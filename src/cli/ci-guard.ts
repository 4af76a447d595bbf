/** The script that cleans up when this process is killed (ci-guard.sh), as long as it is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { ownFile } from '../api/own-file.ts';
import { isAlive } from '../client/processes.ts';
import { ciVariable } from '../cluster/instance/cluster-name.ts';
import type { CiProcess } from '../cluster/settings/settings.ts';

/** Of its directory, below that for temporary files. */
export const ciDirPrefix = 'timonier-ci-';

const script = ownFile('cli/ci-guard.sh');

/** Ends what has the directory in its environment, in a process of its own, and removes it. */
export async function endAllOf(directory: string): Promise<void> {
  await once(
    spawn('sh', [script, directory], { detached: true, stdio: ['ignore', 'ignore', 'inherit'], cwd: '/', env: envOfGuard() }),
    'exit',
  );
}

/** The same, where both were killed, `ci` and the script, and a cluster is left that says so; unless we are what is to be ended. */
export async function endAbandoned(ci: CiProcess | undefined): Promise<void> {
  if (!ci || isAlive(ci) || process.env[ciVariable] === ci.dir || !basename(ci.dir).startsWith(ciDirPrefix)) return;
  await endAllOf(ci.dir);
}

function envOfGuard(): NodeJS.ProcessEnv {
  const { [ciVariable]: _ofAnother, ...env } = process.env;
  return env;
}

export class CiGuard implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** What it does in the end: runs the words of `program`, if there are any, and removes the directory. */
  constructor(directory: string, program: readonly string[]) {
    // its standard error is ours, so who reads that to its end knows that all is cleaned up
    this.#process = spawn('sh', [script, directory, ...program], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
      cwd: '/',
      env: envOfGuard(),
    });
    this.#process.stdin?.on('error', () => undefined); // somebody has ended it
    this.#ended = once(this.#process, 'exit');
    this.#ended.catch(() => undefined);
  }

  /** There is nothing left to clean up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end('done\n');
    await this.#ended.catch(() => undefined);
  }
}
