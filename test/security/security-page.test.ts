/** docs/security.md names files that exist, every test of this folder, and every mechanism of its list once. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { it } from 'node:test';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const mechanismsMax = 66;

it('names files that exist', () => {
  const named = [...page.matchAll(/`((?:src|test|docs)\/[^`\s]+\.\w+)`/g)].map(([, path = '']) => path);
  assert.ok(named.length > 50);
  assert.deepEqual(
    [...new Set(named)].filter((path) => !existsSync(join(root, path))),
    [],
  );
});

it('names every file by its whole path', () => {
  const short = [...page.matchAll(/`([\w.-]+\.(?:ts|sh|md))`/g)].map(([, name]) => name);
  assert.deepEqual(short, []);
});

it('names every test of this folder', () => {
  const own = basename(import.meta.filename);
  const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts') && name !== own);
  assert.deepEqual(
    tests.filter((name) => !page.includes(`\`test/security/${name}\``)),
    [],
  );
});

it('names every mechanism once', () => {
  const numbers = [...page.matchAll(/^\| (\d[\d, –]*) \|/gm)].flatMap(([, cell = '']) => cell.split(', ').flatMap(range));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: mechanismsMax }, (_, i) => i + 1),
  );
});

/** `3` or `3–5` */
function range(text: string): readonly number[] {
  const [first = 0, last = first] = text.split('–').map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
