/**
 * A timonier of its own process, as `timonier run` starts it, with its data in a directory of the bench. Every write is
 * fsynced; the port is a free one on loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './connections.ts';
import type { ProbeAnswer, ProbeQuestion } from './inside-probe.ts';
import { accessFrom } from './kubeconfig-access.ts';
import { cpuMsOf, memoryOf } from './process-usage.ts';
import type { Target, TargetMemory } from './target.ts';

/** Of what is measured on servers of our own. */
export interface OwnContext {
  readonly dir: string;
  readonly quick: boolean;
  /** texts of which a row's name has one; empty: all rows */
  readonly rows: readonly string[];
  readonly idleSeconds: number;
  /** around what is measured: records profiles when asked to */
  readonly profiled: <T>(server: OwnServer, name: string, work: () => Promise<T>) => Promise<T>;
}

export interface OwnServerOptions {
  /** of the bench; more servers may follow each other in it */
  readonly dir: string;
  /** of the cluster; its data directory is `dir/name` */
  readonly name: string;
  readonly nodes?: number;
  readonly simulated?: number;
  /** what Node runs; default: the checkout's */
  readonly entry?: string;
  /** default: `dir/compile-cache` */
  readonly compileCache?: string;
  /** default true: memory and profiles from inside */
  readonly probe?: boolean;
  readonly timeoutSeconds?: number;
  /** default false: its data goes when it stops */
  readonly keepData?: boolean;
}

type Message =
  | { readonly type: 'phase'; readonly phase: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

export const sourceRoot = join(import.meta.dirname, '..');
const stopTimeoutMs = 60_000;

export class OwnServer implements Target, AsyncDisposable {
  readonly name = 'timonier';
  readonly access: Access;
  readonly pid: number;
  /** milliseconds from the start of the process to the end of each phase, and to `ready` */
  readonly phasesMs: ReadonlyMap<string, number>;
  readonly kubeconfig: string;
  readonly #process: ChildProcess;
  readonly #disposable: readonly string[];

  private constructor(given: {
    process: ChildProcess;
    pid: number;
    access: Access;
    phasesMs: ReadonlyMap<string, number>;
    kubeconfig: string;
    disposable: readonly string[];
  }) {
    this.#disposable = given.disposable;
    this.#process = given.process;
    this.pid = given.pid;
    this.access = given.access;
    this.phasesMs = given.phasesMs;
    this.kubeconfig = given.kubeconfig;
  }

  static async start(options: OwnServerOptions): Promise<OwnServer> {
    const startMs = performance.now();
    const kubeconfig = join(options.dir, `${options.name}.kubeconfig`);
    const logFile = join(options.dir, `${options.name}.log`);
    const child = spawnServer(options, kubeconfig, logFile);
    const phasesMs = new Map<string, number>();
    try {
      await untilReady(child, (phase) => phasesMs.set(phase, performance.now() - startMs));
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`the server did not start; its log ends:\n${readFileSync(logFile, 'utf8').slice(-2000)}`, { cause: error });
    }
    const { pid } = child;
    if (pid === undefined) throw new Error('no process');
    const disposable = options.keepData ? [] : [join(options.dir, options.name), join(options.dir, 'instances', options.name)];
    return new OwnServer({ process: child, pid, access: await accessFrom(kubeconfig), phasesMs, kubeconfig, disposable });
  }

  cpuMs(): number {
    return cpuMsOf([this.pid]);
  }

  async memory(): Promise<TargetMemory> {
    const { heapBytes, externalBytes } = await this.#ask({ probe: 'memory' });
    return { ...memoryOf([this.pid]), heapMB: megabytes(heapBytes), externalMB: megabytes(externalBytes) };
  }

  /** Processor time of the longest turn of its event loop since this was last asked; 0 the first time. */
  async longestTurnMs(): Promise<number> {
    return (await this.#ask({ probe: 'turns' })).longestTurnMs;
  }

  async startProfile(): Promise<void> {
    await this.#ask({ probe: 'start-profile' });
  }

  async endProfile(file: string): Promise<void> {
    await this.#ask({ probe: 'end-profile', file });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopTimeoutMs);
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
    clearTimeout(timer);
    for (const path of this.#disposable) rmSync(path, { recursive: true, force: true });
  }

  async #ask(question: ProbeQuestion): Promise<ProbeAnswer> {
    this.#process.send(question);
    for (;;) {
      const [answer] = (await once(this.#process, 'message')) as [Partial<ProbeAnswer>];
      if (answer.probe === question.probe) return answer as ProbeAnswer;
    }
  }
}

/** The flags that the launcher gives to Node, so that what is measured is what users run. */
function launcherFlags(): string[] {
  const line =
    readFileSync(join(sourceRoot, 'timonier'), 'utf8')
      .split('\n')
      .find((text) => text.startsWith('exec "$node"')) ?? '';
  return line.split(' ').filter((word) => word.startsWith('--'));
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

function spawnServer(options: OwnServerOptions, kubeconfig: string, logFile: string): ChildProcess {
  const { dir, name, nodes = 0, simulated = 0, probe = true, timeoutSeconds = 300 } = options;
  const log = openSync(logFile, 'a');
  const flags = ['--nodes', nodes, '--simulated', simulated, '--port', 0, '--timeout', timeoutSeconds].map(String);
  const child = spawn(
    process.execPath,
    [
      ...launcherFlags(),
      ...(probe ? ['--import', join(import.meta.dirname, 'inside-probe.ts')] : []),
      options.entry ?? join(sourceRoot, 'src/cli/main.ts'),
      ...['run', name, ...flags, '--data-dir', join(dir, name), '--kubeconfig', kubeconfig, '--log-level', 'warn'],
    ],
    {
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...process.env,
        TIMONIER_ROOT: join(dir, 'instances'),
        NODE_COMPILE_CACHE: options.compileCache ?? join(dir, 'compile-cache'),
      },
    },
  );
  closeSync(log);
  return child;
}

function untilReady(child: ChildProcess, onPhase: (phase: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`it ended: ${signal ?? code}`)));
    child.on('message', (message: Message) => {
      if (message.type === 'phase') onPhase(message.phase);
      else if (message.type === 'failed') reject(new Error(message.message));
      else if (message.type === 'ready') {
        onPhase('ready');
        resolve();
      }
    });
  });
}
