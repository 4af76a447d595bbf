import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { existingInstance, noSuchCluster } from './find-instance.ts';

const rows: readonly { readonly name: string; readonly names: readonly string[]; readonly fix: string }[] = [
  { name: 'none at all', names: [], fix: 'timonier up typo makes it' },
  { name: 'one', names: ['default'], fix: 'name one that is there: default' },
  { name: 'some', names: ['a', 'b', 'c', 'd', 'e'], fix: 'name one that is there: a, b, c, d, e' },
  { name: 'many', names: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], fix: 'name one that is there: a, b, c, d, e and 2 more' },
];
for (const { name, names, fix } of rows) {
  test(`a cluster that never was, where there are: ${name}`, () => {
    const error = noSuchCluster('typo', names);
    assert.deepEqual([error.code, error.message, error.fix], ['no-such-cluster', 'there is no cluster "typo"', fix]);
  });
}

test('the directory of another user is not taken for none', async () => {
  const root = mkdtempSync(join(tmpdir(), 'timonier-others-'));
  const { TIMONIER_ROOT: before } = process.env;
  const isRoot = process.getuid?.() === 0; // to whom no directory is closed
  try {
    mkdirSync(join(root, 'theirs'), { mode: 0o000 });
    chmodSync(root, 0o755);
    process.env['TIMONIER_ROOT'] = root;
    if (isRoot) process.seteuid?.(65534);
    await assert.rejects(existingInstance('theirs'), { code: 'not-yours', message: /is another user’s/ });
    await assert.rejects(existingInstance('nobodys'), { code: 'no-such-cluster' });
  } finally {
    if (isRoot) process.seteuid?.(0);
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
    chmodSync(join(root, 'theirs'), 0o700);
    rmSync(root, { recursive: true });
  }
});
