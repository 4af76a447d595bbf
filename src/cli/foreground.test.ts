/** A command in the foreground: what is known before its start. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkProgram, runForeground, SignalRelay } from './foreground.ts';

describe('a program', () => {
  let place = '';
  before(() => {
    place = mkdtempSync(join(tmpdir(), 'timonier-foreground-'));
    for (const dir of ['a', 'b']) mkdirSync(join(place, dir));
    symlinkSync('loop', join(place, 'loop'));
    writeFileSync(join(place, 'a', 'plain'), '', { mode: 0o644 });
    writeFileSync(join(place, 'a', 'both'), '', { mode: 0o644 });
    writeFileSync(join(place, 'b', 'both'), '', { mode: 0o755 });
  });
  after(() => rmSync(place, { recursive: true }));

  const rows: readonly { name: string; program: string; want: number | undefined }[] = [
    { name: 'of $PATH, behind a file that is none', program: 'both', want: undefined },
    { name: 'that is not executable', program: 'plain', want: 126 },
    { name: 'that is nowhere', program: 'nowhere', want: 127 },
    { name: 'without a name', program: '', want: 127 },
    { name: 'a directory', program: './', want: 126 },
    { name: 'below a directory that is none', program: '/nosuch/program', want: 127 },
    { name: 'below a file', program: '/etc/passwd/program', want: 127 },
    { name: 'out of reach', program: 'loop/program', want: 126 },
  ];
  for (const { name, program, want } of rows)
    it(name, () => {
      const path = ['loop', 'a', 'b'].map((dir) => join(place, dir)).join(delimiter);
      const check = (): void => checkProgram(program.replace('loop', join(place, 'loop')), path);
      if (want === undefined) check();
      else assert.throws(check, { exitCode: want });
    });
});

describe('a signal just before the command', () => {
  it('is taken: the command is not started', async () => {
    using relay = new SignalRelay();
    process.kill(process.pid, 'SIGHUP'); // one that the runner of tests does not take
    await assert.rejects(runForeground(['false'], { env: process.env, relay }), { name: 'AbortError' });
    assert.equal(relay.received, 'SIGHUP');
  });
});
