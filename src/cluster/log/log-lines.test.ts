import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { logLines } from './log-lines.ts';

async function inDirectory(work: (file: string, dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-log-'));
  try {
    await work(join(dir, 'a.log'), dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const long = 'x'.repeat(70_000); // more than one reads at a time
const rows: readonly { readonly name: string; readonly text: string; readonly last: number; readonly want: readonly string[] }[] = [
  { name: 'an empty file', text: '', last: 5, want: [] },
  { name: 'fewer than asked for', text: 'a\nb\n', last: 5, want: ['a', 'b'] },
  { name: 'as many', text: 'a\nb\n', last: 2, want: ['a', 'b'] },
  { name: 'the last one', text: 'a\nb\n', last: 1, want: ['b'] },
  { name: 'none', text: 'a\nb\n', last: 0, want: [] },
  { name: 'without a newline at the end', text: 'a\nb', last: 1, want: ['b'] },
  { name: 'empty ones count', text: 'a\n\n\n', last: 2, want: ['', ''] },
  { name: 'long ones', text: `${long}\n${long}\nc\n`, last: 2, want: [long, 'c'] },
  { name: 'letters of several bytes', text: 'ä→\n', last: 1, want: ['ä→'] },
];
for (const { name, text, last, want } of rows) {
  test(`the last lines of a log: ${name}`, () =>
    inDirectory(async (file) => {
      writeFileSync(file, text);
      const got: string[] = [];
      for await (const line of logLines(file, { last })) got.push(line);
      assert.deepEqual(got, want);
    }));
}

/** Follows a file; `next` waits for a line. */
function follow(file: string): { next(): Promise<string | undefined>; stop(): void } {
  const stop = new AbortController();
  const lines = logLines(file, { last: 1, follow: stop.signal });
  return {
    async next() {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    stop: () => stop.abort(),
  };
}

const changes: readonly {
  readonly name: string;
  readonly change: (file: string, dir: string) => void;
  readonly want: readonly (string | undefined)[];
}[] = [
  { name: 'what comes', change: (file) => appendFileSync(file, 'b\nc\n'), want: ['b', 'c'] },
  {
    name: 'a line in pieces',
    change: (file) => {
      for (const piece of ['b', 'c', '\n']) appendFileSync(file, piece);
    },
    want: ['bc'],
  },
  {
    name: 'a file that is replaced',
    change: (file) => {
      renameSync(file, `${file}.1`);
      appendFileSync(`${file}.1`, 'late\n');
      writeFileSync(file, 'new\n');
    },
    want: ['late', 'new'],
  },
  {
    name: 'a file that is emptied',
    change: (file) => {
      truncateSync(file);
      appendFileSync(file, 'new\n');
    },
    want: ['new'],
  },
  { name: 'a directory that goes', change: (_, dir) => rmSync(dir, { recursive: true }), want: [undefined] },
];
for (const { name, change, want } of changes) {
  test(`a log is followed: ${name}`, () =>
    inDirectory(async (file, dir) => {
      writeFileSync(file, 'something of before\na\n');
      const following = follow(file);
      assert.equal(await following.next(), 'a');
      const next = following.next();
      change(file, dir);
      const got = [await next];
      while (got.length < want.length) got.push(await following.next());
      assert.deepEqual(got, want);
      const end = following.next();
      following.stop();
      assert.equal(await end, undefined);
    }));
}
