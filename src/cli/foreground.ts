/**
 * A command in the foreground, in place of this process: it has our input, output and signals, and its end is ours. A
 * signal of the terminal (Ctrl-C) reaches it by itself, so that one is not passed on a second time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants as access, accessSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { processStat } from '../client/processes.ts';

/** As shells, env and docker have it. */
export const startCodes = { failed: 125, notExecutable: 126, notFound: 127 } as const;
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

const passedOn = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
type PassedOn = (typeof passedOn)[number];
const ending: ReadonlySet<NodeJS.Signals> = new Set(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM']);
const ofTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT']);

/** Of the event loop: the first may have begun behind the place where signals are read. */
const turnsOfSignal = 2;

/** Takes this process's signals until it is disposed: for the command while there is one, else to give up. */
export class SignalRelay implements Disposable {
  readonly #giveUp = new AbortController();
  readonly #handlers: readonly (readonly [PassedOn, () => void])[];
  #command: ChildProcess | undefined;
  /** It was there before the signals that are taken now. */
  #isSettled = false;
  #passedEnd = false;
  #received: NodeJS.Signals | undefined;

  constructor() {
    this.#handlers = passedOn.map((signal) => [signal, () => this.#take(signal)] as const);
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  /** Aborted by a signal that means an end, before there is a command. */
  get gaveUp(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** The signal that did so. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** The command was told to end. */
  get passedEnd(): boolean {
    return this.#passedEnd;
  }

  passTo(command: ChildProcess | undefined): void {
    this.#command = command;
    this.#isSettled = false;
  }

  /** Every signal that was sent before is taken when it resolves. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < turnsOfSignal; turn++) await nextTurn();
    this.#isSettled = true;
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#command) {
      this.#passedEnd ||= ending.has(signal);
      if (!(this.#isSettled && ofTerminal.has(signal) && hasTerminal())) this.#command.kill(signal);
    } else if (ending.has(signal)) {
      this.#received ??= signal;
      this.#giveUp.abort();
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}

/** Whether keys of a terminal send signals to this process, and so to what it started. */
function hasTerminal(): boolean {
  const stat = processStat(process.pid);
  return stat ? stat.group === stat.terminalGroup : [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
}

/** What could not be started; `exitCode` says why. */
export class NotStarted extends Error {
  readonly exitCode: number;

  constructor(program: string, cause: NodeJS.ErrnoException) {
    const isMissing = cause.code === 'ENOENT';
    super(isMissing ? `${program}: command not found` : `${program} can't be run`, isMissing ? {} : { cause });
    this.exitCode = isMissing ? startCodes.notFound : startCodes.notExecutable;
  }
}

/** Throws what a start would fail with, as far as it can be known: execvp(3). `path` is $PATH. */
export function checkProgram(program: string, path = process.env['PATH'] ?? ''): void {
  const dirs = program === '' ? [] : path.split(delimiter);
  const files = program.includes('/') ? [program] : dirs.map((dir) => join(dir || '.', program));
  let refused: Error | undefined;
  for (const file of files) {
    const why = whyNotRun(file);
    if (why === undefined) return;
    // A directory of $PATH that can't be looked into is passed over.
    if (why !== 'missing' && (why !== 'out of reach' || file === program)) refused ??= Object.assign(new Error(why), { code: 'EACCES' });
  }
  throw new NotStarted(program, refused ?? Object.assign(new Error(), { code: 'ENOENT' }));
}

function whyNotRun(file: string): string | undefined {
  let isDirectory: boolean | undefined;
  try {
    isDirectory = statSync(file, { throwIfNoEntry: false })?.isDirectory();
  } catch {
    return 'out of reach';
  }
  if (isDirectory === undefined) return 'missing';
  if (isDirectory) return 'it is a directory';
  try {
    accessSync(file, access.X_OK);
    return undefined;
  } catch {
    return 'it is not executable';
  }
}

interface ForegroundOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly relay: SignalRelay;
}

/** Its exit code, or 128 and the number of the signal that ended it. Rejects, without a start, once `relay` gave up. */
export async function runForeground(words: readonly string[], { env, relay }: ForegroundOptions): Promise<number> {
  const [program = '', ...args] = words;
  await relay.settle();
  relay.gaveUp.throwIfAborted();
  const child = spawn(program, args, { env, stdio: 'inherit' });
  if (child.pid !== undefined) relay.passTo(child);
  const settled = relay.settle(); // till then a signal of the terminal may be older than the command
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (error) => {
        if (child.pid === undefined) reject(new NotStarted(program, error)); // else a signal came too late
      });
      child.on('exit', (code, signal) => resolve(code ?? exitCodeOf(signal ?? 'SIGKILL')));
    });
  } finally {
    await settled;
    relay.passTo(undefined);
  }
}
