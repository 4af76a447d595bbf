import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { existingInstance, existingOrItsLog, noSuchCluster } from './find-instance.ts';

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

const given: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly isLinked?: boolean;
  readonly refused?: RegExp;
}[] = [
  {
    name: 'somebody’s own, with a folder called store',
    files: { 'store/photo': '', thesis: '' },
    refused: /does not say that it is a cluster’s/,
  },
  { name: 'somebody’s own, with settings', files: { 'settings.json': '{}' }, refused: /does not say that it is a cluster’s/ },
  {
    name: 'somebody’s own, with a state and a log',
    files: { 'state.json': '{}', 'timonier.log': '' },
    refused: /does not say that it is a cluster’s/,
  },
  { name: 'another cluster’s', files: { 'store/data.mdb': '', 'settings.json': record('d') }, refused: /is the cluster "d"/ },
  { name: 'its own', files: { 'store/data.mdb': '', 'settings.json': record('default') } },
  { name: 'its own, whose record is damaged', files: { 'store/data.mdb': '', 'settings.json': '{' }, isLinked: true },
];
function record(name: string): string {
  return JSON.stringify({ format: 1, name, settings: {}, kubeconfigs: [], made: [] });
}
for (const { name, files, isLinked = false, refused } of given) {
  test(`a directory that is given to end a cluster: ${name}`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'timonier-given-'));
    const { TIMONIER_ROOT: before } = process.env;
    try {
      process.env['TIMONIER_ROOT'] = join(root, 'root');
      const dir = join(root, 'given');
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(join(dir, file, '..'), { recursive: true });
        writeFileSync(join(dir, file), text);
      }
      mkdirSync(join(root, 'root'));
      if (isLinked) symlinkSync(dir, join(root, 'root', 'default'));
      for (const find of [existingInstance, existingOrItsLog]) {
        const found = find('default', dir);
        if (refused) await assert.rejects(found, { code: 'not-its-directory', message: refused });
        else assert.equal((await found).dir, dir);
      }
      for (const file of Object.keys(files)) assert.ok(existsSync(join(dir, file)));
    } finally {
      if (before === undefined) delete process.env['TIMONIER_ROOT'];
      else process.env['TIMONIER_ROOT'] = before;
      rmSync(root, { recursive: true });
    }
  });
}
