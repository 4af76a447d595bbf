import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Instance, listInstances } from './instance.ts';

test('the place of all clusters goes with the last one, if it came with the first', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-instance-'));
  const before = process.env['TIMONIER_ROOT'];
  try {
    for (const { name, isThere } of [
      { name: 'made', isThere: false },
      { name: 'found', isThere: true },
    ]) {
      const root = join(dir, name);
      process.env['TIMONIER_ROOT'] = root;
      if (isThere) mkdirSync(root);
      const [first, second] = [new Instance('first'), new Instance('second', join(dir, 'elsewhere'))];
      first.create();
      second.create();
      await first.remove();
      assert.equal(existsSync(root), true, name);
      await second.remove();
      assert.equal(existsSync(root), isThere, name);
    }
  } finally {
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
    rmSync(dir, { recursive: true, force: true });
  }
});

const places: { name: string; files: readonly string[]; refused: boolean }[] = [
  { name: 'an empty directory', files: [], refused: false },
  { name: 'the top of a file system', files: ['lost+found'], refused: false },
  { name: 'what a start that failed has left', files: ['timonier.log', 'kept-by-hand'], refused: false },
  { name: 'a cluster that was run in the foreground', files: ['store/data.mdb', 'pki/ca.crt'], refused: false },
  { name: 'somebody’s own files', files: ['thesis.tex'], refused: true },
  { name: 'a directory that is called as one of a cluster’s', files: ['store/milk.txt'], refused: true },
];
for (const { name, files, refused } of places) {
  test(`a chosen directory: ${name}`, () => {
    const root = mkdtempSync(join(tmpdir(), 'timonier-instance-'));
    const before = process.env['TIMONIER_ROOT'];
    process.env['TIMONIER_ROOT'] = join(root, 'clusters');
    try {
      for (const file of files) {
        mkdirSync(dirname(join(root, 'chosen', file)), { recursive: true });
        writeFileSync(join(root, 'chosen', file), '');
      }
      const create = (): void => new Instance('c', join(root, 'chosen')).create();
      if (refused) assert.throws(create, { code: 'bad-data-dir' });
      else create();
      for (const file of files) assert.equal(existsSync(join(root, 'chosen', file)), true);
      assert.equal(existsSync(join(root, 'clusters', 'c')), !refused);
    } finally {
      if (before === undefined) delete process.env['TIMONIER_ROOT'];
      else process.env['TIMONIER_ROOT'] = before;
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** As a user to whom not every directory is open. */
function asNobody(root: string, act: () => void): void {
  const before = process.env['TIMONIER_ROOT'];
  const isRoot = process.getuid?.() === 0;
  try {
    process.env['TIMONIER_ROOT'] = root;
    if (isRoot) process.seteuid?.(65534);
    act();
  } finally {
    if (isRoot) process.seteuid?.(0);
    if (before === undefined) delete process.env['TIMONIER_ROOT'];
    else process.env['TIMONIER_ROOT'] = before;
  }
}

test('a place of all clusters that is closed, or no place, is named', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-closed-'));
  try {
    chmodSync(dir, 0o755);
    for (const [name, mode] of [
      ['secret', 0o000],
      ['read-only', 0o555],
      ['ours', 0o777],
    ] as const) {
      mkdirSync(join(dir, name));
      chmodSync(join(dir, name), mode);
    }
    writeFileSync(join(dir, 'file'), '');
    asNobody(join(dir, 'secret'), () => {
      assert.throws(listInstances, { code: 'not-yours', message: `${join(dir, 'secret')} is not yours to read` });
      assert.throws(() => new Instance('x').running(), { code: 'not-yours' });
    });
    for (const root of ['read-only', 'read-only/below', 'file', 'file/below'])
      asNobody(join(dir, root), () => {
        const [inside, linked] = [new Instance('x'), new Instance('x', join(dir, 'ours/data'))];
        assert.equal(inside.running(), undefined);
        const want = { code: 'bad-data-dir', message: `can't write to ${join(dir, root)}, where clusters are kept` };
        for (const each of [inside, linked]) assert.throws(() => each.create(), want, root);
      });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
