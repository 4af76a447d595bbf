/** What the script does when whoever started it is gone; on programs of a line, with a sleep of the test's own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const script = join(import.meta.dirname, 'ci-guard.sh');
const skip = existsSync('/proc/self/stat') ? false : 'needs /proc';

interface Row {
  readonly name: string;
  /** a line of shell that says `ready` */
  readonly program: string;
  /** default: the directory */
  readonly mark?: (dir: string) => string;
  readonly args?: (dir: string) => string[];
  /** what the script hears before the input ends */
  readonly words?: string;
  readonly want: { readonly ended: readonly [number | null, NodeJS.Signals | null] | 'not'; readonly removed: boolean };
}

const stays = 'echo ready; exec sleep 1000';
const reads = 'echo ready; while :; do read -r line; done';
const asked = { ended: [null, 'SIGTERM'], removed: true } as const;
const rows: readonly Row[] = [
  { name: 'the process is asked to end', program: stays, want: asked },
  { name: 'it may end in its own way', program: `trap "exit 7" TERM; ${reads}`, want: { ended: [7, null], removed: true } },
  { name: 'one that does not is killed', program: `trap "" TERM; ${reads}`, want: { ended: [null, 'SIGKILL'], removed: true } },
  { name: 'who was given the settings ends as well', program: reads, mark: () => '', args: (dir) => [`${dir}/settings.json`], want: asked },
  { name: 'done', program: stays, words: 'done\n', want: { ended: 'not', removed: false } },
  { name: 'other words', program: stays, words: 'undone\n', want: asked },
  { name: 'another’s process', program: stays, mark: (dir) => `${dir.slice(0, -1)}x`, want: { ended: 'not', removed: true } },
];

describe('the guard of a command', { skip }, () => {
  for (const { name, program, mark = String, args = () => [], words = '', want } of rows)
    it(name, async () => {
      const place = mkdtempSync(join(tmpdir(), 'timonier-guard-'));
      const dir = join(place, 'dir');
      mkdirSync(dir);
      writeFileSync(join(place, 'sleep'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      const env = { ...process.env, TIMONIER_CI: mark(dir) };
      const watched = spawn('sh', ['-c', program, 'sh', ...args(dir)], { stdio: ['pipe', 'pipe', 'inherit'], env });
      const ended = once(watched, 'exit');
      try {
        await once(watched.stdout, 'data');
        const { guard, over } = startGuard([dir], { PATH: `${place}:${process.env['PATH']}` });
        guard.stdin?.end(words);
        await over;
        assert.equal(existsSync(dir), !want.removed);
        if (want.ended === 'not') assert.deepEqual([watched.exitCode, watched.signalCode], [null, null]);
        else assert.deepEqual(await ended, want.ended);
      } finally {
        watched.kill('SIGKILL');
        await ended;
        rmSync(place, { recursive: true, force: true });
      }
    });

  it('what came of the process ends too, then a program runs', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-guard-'));
    const file = join(dir, 'file');
    const env = { ...process.env, TIMONIER_CI: dir };
    const watched = spawn('sh', ['-c', 'setsid sh -c "sleep 1000 & echo ready" & wait'], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const allEnded = once(watched, 'close'); // all of them have its output open
    await once(watched.stdout, 'data');
    const { guard, over } = startGuard([dir, 'mv', dir, `${dir}-moved`], {});
    writeFileSync(file, '');
    guard.stdin?.end();
    await Promise.all([over, allEnded]);
    assert.ok(existsSync(`${dir}-moved/file`));
    rmSync(`${dir}-moved`, { recursive: true });
  });
});

function startGuard(args: readonly string[], env: NodeJS.ProcessEnv): { guard: ChildProcess; over: Promise<unknown> } {
  const guard = spawn('sh', [script, ...args], { env: { ...process.env, ...env }, stdio: ['pipe', 'inherit', 'inherit'] });
  return { guard, over: once(guard, 'exit') };
}
