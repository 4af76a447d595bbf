/** A link to /dev/full stands for the new file where the disk is full. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDiskFull, replaceFile } from './replace-file.ts';

interface Row {
  readonly name: string;
  readonly before?: string;
  readonly isFull?: boolean;
  /** absent: it is refused */
  readonly want?: string;
  readonly isSameFile?: boolean;
}

const rows: readonly Row[] = [
  { name: 'a new file', want: 'text\n' },
  { name: 'another text', before: 'long before\n', want: 'text\n', isSameFile: false },
  { name: 'the same text', before: 'text\n', want: 'text\n', isSameFile: true },
  { name: 'the same text, on a full disk', before: 'text\n', isFull: true, want: 'text\n', isSameFile: true },
  { name: 'a shorter text, on a full disk', before: 'long before\n', isFull: true, want: 'text\n      \n', isSameFile: true },
  { name: 'a longer text, on a full disk', before: 'b\n', isFull: true, want: 'text\n', isSameFile: true },
  { name: 'a new file, on a full disk', isFull: true },
];
for (const { name, before, isFull, want, isSameFile } of rows) {
  test(name, { skip: !existsSync('/dev/full') && 'needs /dev/full' }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'timonier-replace-'));
    try {
      const file = join(dir, 'file');
      if (before !== undefined) writeFileSync(file, before, { mode: 0o644 });
      const inode = before === undefined ? undefined : statSync(file).ino;
      if (isFull) symlinkSync('/dev/full', `${file}.new`);
      const write = (): void => replaceFile(file, 'text\n');
      if (want === undefined) {
        assert.throws(write, (error: Error) => isDiskFull(error) && error.message === `can't write ${file}`);
        assert.equal(existsSync(file), false);
      } else {
        write();
        assert.equal(readFileSync(file, 'utf8'), want);
        assert.equal(statSync(file).mode & 0o777, 0o600);
        if (inode !== undefined) assert.equal(statSync(file).ino === inode, isSameFile);
      }
      if (name !== 'the same text, on a full disk') assert.equal(existsSync(`${file}.new`), false);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
}

test('what a new file held goes, whatever its length', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-replace-'));
  try {
    const file = join(dir, 'file');
    writeFileSync(`${file}.new`, 'what a process that was killed had begun');
    replaceFile(file, 'text\n');
    assert.equal(readFileSync(file, 'utf8'), 'text\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('what is no regular file is never replaced', { skip: process.getuid?.() === 0 ? false : 'only root makes devices' }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-replace-'));
  try {
    const [device, link, pipe] = ['null', 'link', 'pipe'].map((name) => join(dir, name)) as [string, string, string];
    execFileSync('mknod', ['-m', '666', device, 'c', '1', '3']);
    execFileSync('mkfifo', [pipe]);
    symlinkSync(device, link);
    replaceFile(device, 'text\n');
    replaceFile(link, 'text\n');
    assert.throws(() => replaceFile(pipe, 'text\n'), /^Error: can't write .*pipe$/); // nobody reads it, and nobody is waited for
    assert.throws(() => replaceFile(dir, 'text\n'), /^Error: can't write /);
    assert.deepEqual([statSync(device).isCharacterDevice(), statSync(pipe).isFIFO()], [true, true]);
    assert.deepEqual(readdirSync(dir).sort(), ['link', 'null', 'pipe']);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
