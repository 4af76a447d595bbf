import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const src = join(import.meta.dirname, '..');
const filesWith = (pattern: RegExp): string[] =>
  globSync('**/*.ts', { cwd: src, exclude: ['**/*.test.ts'] }).filter((file) => pattern.test(readFileSync(join(src, file), 'utf8')));

const rows = [
  {
    name: 'one file alone knows where it lies: in the package the others lie elsewhere',
    pattern: /import\.meta\.(dirname|filename)/,
    want: ['api/own-file.ts'],
  },
  {
    name: 'one file alone starts the program again: in the single executable there is no Node, nor a file that was called',
    pattern: /process\.(execPath|argv\[1\])/,
    want: ['cluster/machine/own-process.ts'],
  },
  {
    name: 'nothing imports node:http as a module, other than for types',
    pattern: /^(import (?!type )|export )[^;]*? from 'node:http';/m,
    want: [],
  },
  {
    name: 'patterns alone bring their engine, when the first one comes',
    pattern: /^(import (?!type )|export )[^;]*? from 're2js';/m,
    want: ['api/cel/re2.ts'],
  },
];
for (const { name, pattern, want } of rows) it(name, () => assert.deepEqual(filesWith(pattern), want));
