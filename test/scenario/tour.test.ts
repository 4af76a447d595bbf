/**
 * Types what docs/tour-of-the-components.md says, in windows as it says, and compares what is seen with what is written
 * there. Of the blocks in the document:
 *
 *   console window=N   commands after `$ `, and under each what it prints, in this order; `…` is anything
 *   text watch         lines of `timonier watch`, in any order, since the block before
 *   yaml file=NAME     a file
 *
 * Times, addresses, generated names and which of the two nodes it was may differ.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';
import { findKubectl } from '../../src/cli/commands/kubectl.ts';
import { blocksOf, commandsOf, compare, patternOf, squeezed } from '../kit/console-blocks.ts';

const root = resolve(import.meta.dirname, '../..');
const documentPath = join(root, 'docs/tour-of-the-components.md');
const seenMsMax = 60_000;

/** Lines of a process, as they come. */
class Lines {
  readonly #lines: string[] = [];
  #rest = '';
  #wake: () => void = () => undefined;

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (this.#rest + text).split('\n');
        this.#rest = lines.pop() ?? '';
        this.#lines.push(...lines);
        this.#wake();
      });
    }
  }

  /** The first line that is it, wherever it stands; it is taken out. */
  async take(isIt: (line: string) => boolean, what: string): Promise<string> {
    const signal = AbortSignal.timeout(seenMsMax);
    for (;;) {
      const at = this.#lines.findIndex(isIt);
      if (at >= 0) return this.#lines.splice(at, 1)[0] ?? '';
      await new Promise<void>((done, fail) => {
        this.#wake = done;
        signal.addEventListener('abort', () => fail(new Error(`not seen: ${what}\namong:\n${this.#lines.join('\n')}`)), { once: true });
      });
    }
  }

  /** All until this line, which is not among them. */
  async takeUntil(isEnd: (line: string) => boolean, what: string): Promise<readonly string[]> {
    await this.take(isEnd, what);
    return this.#lines.splice(0);
  }
}

const endMark = '--- that was';

/** A shell that goes on, as in a terminal. */
class Window {
  readonly shell: ChildProcess;
  readonly #lines: Lines;

  constructor(options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }) {
    this.shell = spawn('bash', [], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = new Lines(this.shell);
    this.shell.stdin?.write('exec 2>&1\n');
  }

  async run(command: string): Promise<readonly string[]> {
    this.shell.stdin?.write(`${command}\necho '${endMark}'\n`);
    return this.#lines.takeUntil((line) => line === endMark, `the end of: ${command}`);
  }

  async close(): Promise<void> {
    this.shell.stdin?.end('kill $(jobs -p) 2>/dev/null; wait\n');
    if (this.shell.exitCode === null) await once(this.shell, 'exit');
  }
}

/** A window whose command does not end. */
class Busy {
  readonly child: ChildProcess;
  readonly lines: Lines;
  constructor(command: string, options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }) {
    this.child = spawn('bash', ['-c', `exec ${command}`], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.lines = new Lines(this.child);
  }
  async interrupt(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGINT');
    await once(this.child, 'exit');
  }
}

test('the tour is as it says', { timeout: 300_000 }, async (t) => {
  const kubectl = (await findKubectl()) ?? assert.fail('no kubectl');
  const dir = mkdtempSync(join(tmpdir(), 'timonier-tour-'));
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'timonier'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"\n`);
  writeFileSync(join(bin, 'kubectl'), `#!/bin/sh\nexec '${kubectl}' "$@"\n`);
  for (const program of ['timonier', 'kubectl']) chmodSync(join(bin, program), 0o755);
  const { KUBECONFIG: _, ...rest } = process.env;
  const env = { ...rest, HOME: dir, TIMONIER_ROOT: join(dir, 'root'), PATH: `${bin}${delimiter}${process.env['PATH']}` };
  const options = { cwd: dir, env };
  const windows = new Map<string, Window>();
  const busy: Busy[] = [];
  let watch: Lines | undefined;
  const windowOf = (words: readonly string[]): Window => {
    const name = words.find((word) => word.startsWith('window=')) ?? assert.fail('which window?');
    const window = windows.get(name) ?? new Window(options);
    windows.set(name, window);
    return window;
  };
  const endAll = async (): Promise<void> => {
    await windows.get('window=4')?.close();
    for (const each of busy.toReversed()) await each.interrupt();
  };
  const type = async (command: string, output: readonly string[], words: readonly string[]): Promise<void> => {
    if (!/^timonier (run|watch)\b/.test(command) || command.endsWith('&')) {
      compare(command, await windowOf(words).run(command), output);
      return;
    }
    const isWatch = command.startsWith('timonier watch');
    const one = new Busy(isWatch ? command : `${command} --port 0`, options);
    busy.push(one);
    if (isWatch) watch = one.lines;
    else await one.lines.take((line) => line.includes('the cluster is ready'), 'a cluster that is ready');
    for (const line of output) await one.lines.take((each) => patternOf(line).test(squeezed(each)), line);
  };
  t.after(async () => {
    await endAll();
    for (const window of windows.values()) await window.close();
    rmSync(dir, { recursive: true, force: true });
  });

  for (const block of blocksOf(readFileSync(documentPath, 'utf8'))) {
    const { language, words, lines } = block;
    if (language === 'yaml') writeFileSync(join(dir, words[0]?.slice('file='.length) ?? ''), `${lines.join('\n')}\n`);
    else if (language === 'text') {
      for (const line of lines) {
        const pattern = patternOf(line.replace(/^\S+/, ''));
        await watch?.take((each) => pattern.test(squeezed(each.replace(/^\S+/, ''))), line);
      }
    } else {
      if (words.includes('end')) await endAll();
      for (const { command, output } of commandsOf(block)) await type(command, output, words);
    }
  }
});

test('a line of the document is compared in what stays', () => {
  const rows = [
    ['front-6b574d5dc8-9fjpd   0/1   Pending   4s', 'front-7fd49cb869-xxxxx 0/1 Pending 1m5s', true],
    ['front-6b574d5dc8-9fjpd   0/1   Pending   4s', 'front-7fd49cb869-xxxxx 1/1 Running 4s', false],
    ['created pod/pie-n8gqh (bakery:1.0)', 'created pod/pie-zzzzz (bakery:1.0)', true],
    ['created pod/pie-n8gqh (bakery:1.0)', 'created pod/tart-zzzzz (bakery:1.0)', false],
    ['bound pod/late → workers-simulated-2 (of 2 nodes 1 fits: …)', 'bound pod/late → workers-simulated-1 (of 2 nodes 1 fits: x)', true],
    ['deleted pod/a (30 s to stop)', 'deleted pod/a (5 s to stop)', false],
    ['service-account  created serviceaccount/default', 'service-account created serviceaccount/other', false],
  ] as const;
  for (const [written, seen, want] of rows) assert.equal(patternOf(written).test(squeezed(seen)), want, written);
});

test('what is printed is what is written, line by line', () => {
  const rows = [
    { name: 'all of it', printed: ['a', 'b'], written: ['a', 'b'], same: true },
    { name: 'but for empty lines', printed: ['', 'a', ''], written: ['a'], same: true },
    { name: 'nothing more at the beginning', printed: ['a', 'b'], written: ['b'], same: false },
    { name: 'nothing more between', printed: ['a', 'b', 'c'], written: ['a', 'c'], same: false },
    { name: 'nothing more at the end', printed: ['a', 'b'], written: ['a'], same: false },
    { name: 'nothing less', printed: ['a'], written: ['a', 'b'], same: false },
    { name: 'where … is written, anything', printed: ['a', 'b', 'c'], written: ['…', 'c'], same: true },
    { name: 'also nothing', printed: ['c'], written: ['…', 'c', '…'], same: true },
    { name: 'and then what follows', printed: ['a', 'b'], written: ['…', 'c'], same: false },
    { name: 'however often that was there before', printed: ['c', 'b', 'c'], written: ['…', 'c'], same: true },
  ];
  for (const { name, printed, written, same } of rows) {
    const comparing = (): void => compare('true', printed, written);
    if (same) assert.doesNotThrow(comparing, name);
    else assert.throws(comparing, { code: 'ERR_ASSERTION' }, name);
  }
});
