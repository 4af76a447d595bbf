import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessOf, kubeconfigFor, mergeKubeconfig, readKubeconfig, removeContext, writeKubeconfig } from './kubeconfig.ts';

const access = { server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'CERT', key: 'KEY', namespace: 'n' };

test('what goes into a kubeconfig comes out again, through a file that only the owner reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  try {
    const path = join(folder, 'sub', 'config');
    assert.deepEqual(await readKubeconfig(path), {});
    await writeKubeconfig(path, kubeconfigFor('one', access));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await accessOf(await readKubeconfig(path), { path }), access);
    await writeKubeconfig(path, kubeconfigFor('one', { server: 'https://x', tokenFile: 'token' }));
    assert.deepEqual(await accessOf(await readKubeconfig(path), { path }), {
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
