import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstat, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  accessOf,
  isEmptyKubeconfig,
  kubeconfigFor,
  mergeKubeconfig,
  readKubeconfig,
  removeContext,
  updateKubeconfig,
  writeKubeconfig,
} from './kubeconfig.ts';

const nothing = Object.fromEntries(
  ['ca', 'cert', 'key', 'token', 'tokenFile', 'tlsServerName', 'insecureSkipTLSVerify', 'namespace'].map((name) => [name, undefined]),
);
const access = { server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'CERT', key: 'KEY', namespace: 'n' };

test('what goes into a kubeconfig comes out again, through a file that only the owner reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  try {
    const path = join(folder, 'sub', 'config');
    assert.deepEqual(await readKubeconfig(path), {});
    await writeKubeconfig(path, kubeconfigFor('one', access));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await accessOf(await readKubeconfig(path), { path }), { ...nothing, ...access });
    await writeKubeconfig(path, kubeconfigFor('one', { server: 'https://x', tokenFile: 'token' }));
    assert.deepEqual(await accessOf(await readKubeconfig(path), { path }), {
      ...nothing,
      server: 'https://x',
      tokenFile: join(folder, 'sub', 'token'),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('merging replaces the same name, makes it current and keeps the rest', () => {
  const foreign = { ...kubeconfigFor('theirs', { server: 'https://theirs', token: 't' }), extensions: ['x'] };
  const merged = mergeKubeconfig(mergeKubeconfig(foreign, kubeconfigFor('ours', access)), kubeconfigFor('ours', { server: 'https://new' }));
  assert.deepEqual(
    merged.clusters?.map((c) => c.cluster.server),
    ['https://theirs', 'https://new'],
  );
  assert.equal(merged['current-context'], 'ours');
  assert.deepEqual((merged as { extensions?: unknown }).extensions, ['x']);

  const removed = removeContext(merged, 'ours');
  assert.deepEqual(
    [removed.contexts, removed.clusters, removed.users].map((list) => list?.map(({ name }) => name)),
    [['theirs'], ['theirs'], ['theirs']],
  );
  assert.equal(removed['current-context'], '');
});

test('a cluster that another context uses stays', () => {
  const one = kubeconfigFor('one', access);
  const shared = mergeKubeconfig(one, { contexts: [{ name: 'two', context: { cluster: 'one', user: 'other' } }] });
  const removed = removeContext(shared, 'one');
  assert.deepEqual([removed.clusters?.length, removed.users?.length], [1, 0]);
});

test('a context that leads nowhere is an error', async () => {
  await assert.rejects(accessOf({}), /no context ""/);
  await assert.rejects(accessOf({ contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }] }, { context: 'a' }), /no cluster "c"/);
});

test('many at once lose nothing of each other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  try {
    const path = join(folder, 'sub', 'config');
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    await Promise.all(names.map((name) => updateKubeconfig(path, (before) => mergeKubeconfig(before, kubeconfigFor(name, access)))));
    const { contexts = [] } = await readKubeconfig(path);
    assert.deepEqual(contexts.map(({ name }) => name).sort(), names.sort());
    assert.deepEqual(await readdir(join(folder, 'sub')), ['config']);
    await writeFile(`${path}.lock`, ''); // of one that died
    await updateKubeconfig(path, () => ({}));
    assert.deepEqual(await readKubeconfig(path), {});
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a link stays one; its file is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  try {
    await writeFile(join(folder, 'file'), '');
    await symlink('file', join(folder, 'link'));
    await writeKubeconfig(join(folder, 'link'), kubeconfigFor('one', access));
    assert.equal((await lstat(join(folder, 'link'))).isSymbolicLink(), true);
    assert.equal((await readKubeconfig(join(folder, 'file')))['current-context'], 'one');
  } finally {
    await rm(folder, { recursive: true });
  }
});

const empty: readonly { name: string; given: object; want: boolean }[] = [
  {
    name: 'what is left of ours',
    given: { apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [], 'current-context': '' },
    want: true,
  },
  { name: 'nothing', given: {}, want: true },
  { name: 'a current context', given: { 'current-context': 'theirs' }, want: false },
  { name: 'a user', given: { users: [{ name: 'theirs', user: {} }] }, want: false },
  { name: 'something of another program', given: { preferences: { colors: true } }, want: false },
];
for (const { name, given, want } of empty) test(`nobody would miss it? ${name}`, () => assert.equal(isEmptyKubeconfig(given), want));

test('a kubeconfig that is a device, as /dev/null, stays one, and has no lock beside it', {
  skip: process.getuid?.() === 0 ? false : 'only root makes devices',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  try {
    const path = join(folder, 'null');
    execFileSync('mknod', ['-m', '666', path, 'c', '1', '3']);
    await updateKubeconfig(path, (before) => mergeKubeconfig(before, kubeconfigFor('one', access)));
    await writeKubeconfig(path, kubeconfigFor('one', access));
    assert.deepEqual(await readKubeconfig(path), {});
    assert.equal((await stat(path)).isCharacterDevice(), true);
    assert.deepEqual(await readdir(folder), ['null']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
