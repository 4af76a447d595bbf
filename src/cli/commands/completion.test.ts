import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findProgram } from '../../cluster/machine/machine.ts';

const dir = mkdtempSync(join(tmpdir(), 'timonier-completion-'));
after(() => rmSync(dir, { recursive: true }));
const timonier = join(dir, 'timonier');
const main = join(import.meta.dirname, '..', 'main.ts');
writeFileSync(timonier, `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${main}' "$@"\n`);
chmodSync(timonier, 0o755);
writeFileSync(join(dir, 'bakery.tar'), '');
const env = { ...process.env, PATH: `${dir}:${process.env['PATH']}`, TIMONIER_ROOT: join(dir, 'root') };

const rows = [
  { typed: ['timonier', 'im'], want: 'image' },
  { typed: ['timonier', 'up', '--log-level', '=', 'd'], want: 'debug' },
  { typed: ['timonier', 'image', 'load', 'bak'], want: 'bakery.tar' },
];

test('bash completes', { skip: findProgram('bash') ? false : 'no bash here' }, () => {
  const tries = rows.map(({ typed }) => {
    const words = typed.map((word) => `'${word}'`).join(' ');
    return `COMP_WORDS=(${words}); COMP_CWORD=${typed.length - 1}; _timonier 2>/dev/null; echo "\${COMPREPLY[@]}"`;
  });
  const script = ['source <(timonier completion bash)', ...tries].join('\n');
  const told = execFileSync('bash', ['-c', script], { cwd: dir, env, encoding: 'utf8' });
  assert.deepEqual(
    told.trimEnd().split('\n'),
    rows.map(({ want }) => want),
  );
});

test('fish completes', { skip: findProgram('fish') ? false : 'no fish here' }, () => {
  const tries = rows.map(({ typed }) => `complete -C '${typed.join(' ').replace(' = ', '=')}'`);
  const told = execFileSync('fish', ['-c', ['timonier completion fish | source', ...tries].join('; ')], {
    cwd: dir,
    env,
    encoding: 'utf8',
  });
  assert.deepEqual(
    told
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]),
    ['image', '--log-level=debug', 'bakery.tar'],
  );
});
