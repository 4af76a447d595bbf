/** Writes what the program says of itself: docs/command-line.md and config.schema.json. `--check`: only sees whether they are current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../src/cli/program.ts';
import { renderReferencePage } from '../src/cli/reference-page.ts';
import { configFields, configSchema } from '../src/cluster/settings/config.ts';

const root = join(import.meta.dirname, '..');
const settings = Object.entries(configFields).map(([name, { about }]) => ({ name, about }));
const files: readonly (readonly [string, string])[] = [
  ['docs/command-line.md', renderReferencePage(createProgram(), settings)],
  ['config.schema.json', `${JSON.stringify(configSchema(), null, 2)}\n`],
];

for (const [name, text] of files) {
  const file = join(root, name);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${name} is not current: npm run generate`);
    process.exitCode = 1;
  }
}
