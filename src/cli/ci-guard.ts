/** The script that cleans up when this process is killed (ci-guard.sh), as long as it is needed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ownFile } from '../client/own-file.ts';

const script = ownFile('cli/ci-guard.sh');
/** In the environment of all that is to end with us: the directory. */
export const ciVariable = 'TIMONIER_CI';

/** Ends what has the directory in its environment, in a process of its own, and removes it. */
export async function endAllOf(directory: string): Promise<void> {
  await once(
    spawn('sh', [script, directory], { detached: true, stdio: ['ignore', 'ignore', 'inherit'], cwd: '/', env: envOfGuard() }),
    'exit',
  );
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
