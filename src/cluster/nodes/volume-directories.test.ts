import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { realClock } from '../../client/clock.ts';
import { volumeDirectories } from './volume-directories.ts';

const root = mkdtempSync(join(tmpdir(), 'volumes-'));
after(() => rmSync(root, { recursive: true }));
const [dataDir, outside] = [join(root, 'data'), join(root, 'outside')];
const volumes = join(dataDir, 'nodes', '1', 'volumes');
mkdirSync(join(dataDir, 'nodes', '1'), { recursive: true });
const { signal } = new AbortController();
const directories = volumeDirectories({ cluster: 'c', dataDir, clock: realClock, signal });

test('a volume is made once, keeps what is in it, and goes with all of it', async () => {
  const path = await directories.make('c-1', 'pvc-x');
  assert.equal(path, join(volumes, 'pvc-x'));
  assert.deepEqual([statSync(path).mode & 0o777, statSync(volumes).mode & 0o777], [0o777, 0o700]);
  mkdirSync(join(path, 'deep', 'er'), { recursive: true });
  assert.equal(await directories.make('c-1', 'pvc-x'), path);
  assert.deepEqual(readdirSync(path), ['deep']);
  await directories.remove('c-1', 'pvc-x');
  await directories.remove('c-1', 'pvc-x');
  assert.equal(existsSync(path), false);
});

for (const name of ['', '.', '..', '../outside', 'a/b', '/etc', 'a\0b'])
  test(`nothing is made or removed by the name ${JSON.stringify(name)}`, async () => {
    await assert.rejects(directories.make('c-1', name), /not the name of an entry/);
    await assert.rejects(directories.remove('c-1', name), /not the name of an entry/);
  });

test('a link in the place of a volume is not taken for one, and not followed', async () => {
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), '');
  symlinkSync(outside, join(volumes, 'pvc-link'));
  await assert.rejects(directories.make('c-1', 'pvc-link'), { code: 'ENOTDIR' });
  await directories.remove('c-1', 'pvc-link');
  assert.deepEqual([readdirSync(volumes), readdirSync(outside)], [[], ['file']]);
});

for (const node of ['other-1', 'c-01', 'c-', 'c-1/..', '..', 'c-1e1', ''])
  test(`a node that is none of the cluster's has no directories here: ${JSON.stringify(node)}`, async () => {
    await assert.rejects(directories.make(node, 'pvc-x'), /is not one of this machine's/);
    await assert.rejects(directories.remove(node, 'pvc-x'), /is not one of this machine's/);
    assert.deepEqual(readdirSync(join(dataDir, 'nodes')), ['1']);
  });

test('nor has one that never ran here', async () => {
  await assert.rejects(directories.make('c-7', 'pvc-x'), { code: 'ENOENT' });
  await directories.remove('c-7', 'pvc-x');
  assert.deepEqual(readdirSync(join(dataDir, 'nodes')), ['1']);
});

test('a simulated node has none either, and needs none', async () => {
  assert.equal(await directories.make('c-simulated-1', 'pvc-x'), '/var/lib/timonier/volumes/pvc-x');
  await directories.remove('c-simulated-1', 'pvc-x');
  assert.deepEqual(readdirSync(volumes), []);
});
