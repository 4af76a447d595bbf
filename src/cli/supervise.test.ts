/** When the supervisor starts a process again, how long it waits, and what it says; on programs of a line, with a clock and a sleep of the test's own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Supervision, supervisionFile } from '../cluster/instance/supervision.ts';

const script = join(import.meta.dirname, 'supervise.sh');

class Run implements Disposable {
  readonly place = mkdtempSync(join(tmpdir(), 'timonier-supervise-'));
  readonly dir = join(this.place, 'cluster');
  readonly process: ChildProcess;
  readonly ended: Promise<unknown[]>;
  #log = '';

  /** `program` is a line of shell: $n is how often it ran before; $1, $2, … are its arguments. `sleep` is another. */
  constructor(program: string, sleep = 'echo "$1" >> "$PLACE/slept"', adopted?: number) {
    const bin = join(this.place, 'bin');
    mkdirSync(bin);
    mkdirSync(this.dir);
    const commands = {
      program: `n=$(cat "$PLACE/runs" 2>/dev/null || echo 0); echo $((n + 1)) > "$PLACE/runs"; [ $n -lt 20 ] || exit 0; ${program}`,
      sleep,
      date: clock,
    };
    for (const [name, text] of Object.entries(commands)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    writeFileSync(join(this.place, 'now'), '1000');
    this.process = spawn(
      'sh',
      [script, this.dir, ...(adopted === undefined ? [] : ['--adopt', String(adopted)]), join(bin, 'program'), 'first'],
      {
        env: { ...process.env, PATH: `${bin}:${process.env['PATH']}`, PLACE: this.place, DIR: this.dir },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    );
    this.process.stdout?.on('data', (chunk) => {
      this.#log += String(chunk);
    });
    this.ended = once(this.process, 'close');
  }

  get runs(): number {
    return Number(this.#read('runs'));
  }
  get slept(): number[] {
    return this.#read('slept').split('\n').filter(Boolean).map(Number);
  }
  get supervision(): Supervision | undefined {
    const file = join(this.dir, supervisionFile);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Supervision) : undefined;
  }
  get log(): { level: string; component: string; msg: string }[] {
    return this.#log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { level: string; component: string; msg: string });
  }

  async until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = (): void => {
      if (condition()) resolve();
    };
    const watchers = [watch(this.place, check), watch(this.dir, check)];
    check();
    await promise;
    for (const watcher of watchers) watcher.close();
  }

  [Symbol.dispose](): void {
    if (this.process.exitCode === null) process.kill(-(this.process.pid ?? 0), 'SIGKILL'); // what it waits for, too
    rmSync(this.place, { recursive: true, force: true });
  }

  #read(name: string): string {
    const file = join(this.place, name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  }
}

/** A time that the program moves: `date +%s` says what is in the file `now`. */
const clock = '[ "$1" = +%s ] && exec cat "$PLACE/now"; echo 2026-01-01T00:00:00Z';
const began = 'touch "$DIR/state.json"';
/** Until the supervisor has said that it started the program. */
const told = 'until [ -e "$DIR/supervisor.json" ]; do :; done';

interface Row {
  readonly name: string;
  readonly program: string;
  readonly want: { readonly runs: number; readonly slept?: readonly number[]; readonly code: number; readonly log?: RegExp };
}

const rows: readonly Row[] = [
  { name: 'a first start that fails', program: 'exit 1', want: { runs: 1, code: 1 } },
  { name: 'a first start that is killed', program: 'kill -9 $$', want: { runs: 1, code: 137 } },
  { name: 'a clean end', program: `${began}; exit 0`, want: { runs: 1, code: 0 } },
  { name: 'an end by SIGTERM', program: `${began}; kill -TERM $$`, want: { runs: 1, code: 143 } },
  { name: 'an end by SIGINT', program: `${began}; trap - INT; exit 130`, want: { runs: 1, code: 130 } },
  {
    name: 'a kill: once more',
    program: `${began}; [ $n = 0 ] && kill -9 $$; exit 0`,
    want: { runs: 2, slept: [1], code: 0, log: /^the cluster's process ended \(signal 9\); it is started again in 1 s$/ },
  },
  {
    name: 'a fault: once more',
    program: `${began}; [ $n = 0 ] && exit 70; exit 0`,
    want: { runs: 2, slept: [1], code: 0, log: /ended \(exit 70\)/ },
  },
  {
    name: 'a death at each start: twice as long each time, a minute at most',
    program: `${began}; [ $n -lt 8 ] && exit 70; exit 0`,
    want: { runs: 9, slept: [1, 2, 4, 8, 16, 32, 60, 60], code: 0 },
  },
  {
    name: 'later starts that fail, too, whatever state.json says',
    program: `[ $n = 0 ] && { ${began}; exit 70; }; rm -f "$DIR/state.json"; [ $n -lt 3 ] && exit 1; exit 0`,
    want: { runs: 4, slept: [1, 2, 4], code: 0 },
  },
  {
    name: 'a death after a minute of health: from the beginning',
    program: `${began}; [ $n = 3 ] && echo 2000 > "$PLACE/now"; [ $n -lt 5 ] && exit 70; exit 0`,
    want: { runs: 6, slept: [1, 2, 4, 1, 2], code: 0 },
  },
  {
    name: 'a later start says so, once',
    program: `${began}; [ $n = 0 ] && [ "$*" = first ] && exit 70; [ $n = 1 ] && [ "$*" = 'first --again' ] && exit 70; [ "$*" = 'first --again' ] || exit 9; exit 0`,
    want: { runs: 3, slept: [1, 2], code: 0 },
  },
  {
    name: 'a directory that is gone',
    program: `${began}; rm -r "$DIR"; exit 70`,
    want: { runs: 1, code: 70, log: /directory is gone or another's: not started again$/ },
  },
  {
    name: 'another supervisor in its place',
    program: `${began}; ${told}; printf '{"pid":%d,"startTicks":"%s","restarts":0}' ${process.pid} "$(sed 's/.*) //' /proc/${process.pid}/stat | cut -d' ' -f20)" > "$DIR/supervisor.json"; exit 70`,
    want: { runs: 1, code: 70, log: /directory is gone or another's/ },
  },
  {
    name: 'what a supervisor that is gone left behind',
    program: `${began}; ${told}; echo '{"pid":1073741824,"startTicks":"1","restarts":0}' > "$DIR/supervisor.json"; [ $n = 0 ] && exit 70; exit 0`,
    want: { runs: 2, slept: [1], code: 0 },
  },
];

describe('the supervisor, after', { skip: !existsSync('/proc/self/stat') && 'needs /proc' }, () => {
  for (const { name, program, want } of rows) {
    it(name, async () => {
      using run = new Run(program);
      const [code] = await run.ended;
      assert.deepEqual({ code, runs: run.runs, slept: run.slept }, { code: want.code, runs: want.runs, slept: want.slept ?? [] });
      if (want.log) assert.match(run.log.at(-1)?.msg ?? '', want.log);
      assert.ok(run.supervision === undefined || run.supervision.pid === process.pid);
    });
  }

  it('each event says what is true then', async () => {
    using run = new Run(`${began}; exit 70`, 'echo x >> "$PLACE/slept"; exec tail -f /dev/null');
    await run.until(() => run.slept.length === 1);
    const { pid, startTicks, ...waiting } = run.supervision ?? assert.fail('it says nothing');
    assert.equal(pid, run.process.pid);
    assert.match(startTicks, /^\d+$/);
    assert.deepEqual(waiting, { restarts: 0, lastExit: 'exit 70', lastExitAt: 1000, nextTryAt: 1001 });
  });

  it('what is true is told on a full disk, too', async () => {
    const full = 'ln -s /dev/full "$DIR/supervisor.json.new"';
    using run = new Run(`${began}; ${told}; ${full}; exit 70`, 'echo x >> "$PLACE/slept"; exec tail -f /dev/null');
    await run.until(() => run.slept.length === 1);
    assert.deepEqual([run.supervision?.lastExit, run.supervision?.nextTryAt], ['exit 70', 1001]);
  });

  for (const { name, leaves, want } of [
    { name: 'died: it is started again', leaves: 'state.json', want: { runs: 1, words: 'first --again' } },
    { name: 'ended as it was asked to: nothing more', leaves: undefined, want: { runs: 0, words: undefined } },
  ]) {
    it(`a process that it adopted, and that ${name}`, async () => {
      const other = spawn('tail', ['-f', '/dev/null']);
      using run = new Run('echo "$*" > "$PLACE/words"; exit 0', 'exec /bin/sleep 0.05', other.pid);
      if (leaves) writeFileSync(join(run.dir, leaves), '{}');
      await run.until(() => run.supervision?.process === other.pid);
      other.kill('SIGKILL');
      assert.deepEqual((await run.ended)[0], 0);
      const words = join(run.place, 'words');
      assert.deepEqual([run.runs, existsSync(words) ? readFileSync(words, 'utf8').trim() : undefined], [want.runs, want.words]);
    });
  }

  it('SIGTERM ends a process that it adopted', async () => {
    const other = spawn('tail', ['-f', '/dev/null']);
    using run = new Run('exit 9', 'exec /bin/sleep 0.05', other.pid);
    await run.until(() => run.supervision?.process === other.pid);
    run.process.kill('SIGTERM');
    assert.deepEqual([(await run.ended)[0], run.runs, other.signalCode ?? (await once(other, 'exit'))[1]], [0, 0, 'SIGTERM']);
  });

  it('SIGTERM while it waits ends it, and what it waits with, though that does not hear it', async () => {
    using run = new Run(`${began}; exit 70`, `trap '' TERM; echo x >> "$PLACE/slept"; exec tail -f /dev/null`);
    await run.until(() => run.slept.length === 1);
    run.process.kill('SIGTERM');
    assert.deepEqual([await run.ended, run.runs, run.supervision], [[0, null], 1, undefined]);
  });

  it('SIGTERM is the process’s too', async () => {
    using run = new Run(`trap 'touch "$PLACE/asked"; kill -9 $!; exit 0' TERM; tail -f /dev/null & ${began}; wait`, 'exec /bin/sleep 0.1');
    await run.until(() => existsSync(join(run.dir, 'state.json')));
    run.process.kill('SIGTERM');
    assert.deepEqual([await run.ended, run.runs, run.supervision], [[0, null], 1, undefined]);
    assert.ok(existsSync(join(run.place, 'asked')));
  });

  it('SIGTERM is said again to a process that has lost it', async () => {
    using run = new Run(
      `trap '[ -e "$PLACE/asked" ] && exit 0; touch "$PLACE/asked"' TERM; ${began}; while :; do wait; done`,
      'exec /bin/sleep 0.1',
    );
    await run.until(() => existsSync(join(run.dir, 'state.json')));
    run.process.kill('SIGTERM');
    assert.deepEqual([await run.ended, run.supervision], [[0, null], undefined]);
  });

  it('SIGTERM kills a process that does not follow', async () => {
    using run = new Run(`trap '' TERM; ${began}; exec tail -f /dev/null`);
    await run.until(() => existsSync(join(run.dir, 'state.json')));
    run.process.kill('SIGTERM');
    assert.deepEqual([await run.ended, run.slept.length >= 75], [[137, null], true]);
  });
});
