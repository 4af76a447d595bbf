/**
 * What the machine's other users can do with a cluster's files and sockets: nothing, whatever the umask, and though the
 * directory that was chosen for them is open. Mechanisms: directories that are too open (CVE-2024-25621), logs that
 * others read (CVE-2024-5321), sockets that are reached past a fence (CVE-2026-21636: here nothing rests on Node's
 * permission model; a socket is protected by the directory in which it lies).
 */
import assert from 'node:assert/strict';
import { globSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Pod, Secret } from '../../src/api/generated/kinds.ts';
import { Instance } from '../../src/cluster/instance/instance.ts';
import { startCluster } from '../../src/index.ts';

let root: string;
let umask: number;
before(() => {
  umask = process.umask(0);
  root = mkdtempSync(join(tmpdir(), 'other-users-'));
});
after(() => {
  process.umask(umask);
  rmSync(root, { recursive: true });
});

/** The entries below a directory that others can open, or change: those of directories that they can enter. */
function openToOthers(dir: string): readonly string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    const entry = lstatSync(path);
    if (entry.isSymbolicLink()) return [];
    if (entry.isDirectory())
      return (entry.mode & 0o011) === 0 ? [] : [...((entry.mode & 0o022) === 0 ? [] : [path]), ...openToOthers(path)];
    return (entry.mode & 0o077) === 0 ? [] : [path];
  });
}

describe('files of a cluster', () => {
  it('in a directory that others may enter, are its owner’s alone', async () => {
    const dataDir = join(root, 'chosen');
    mkdirSync(dataDir, { mode: 0o755 });
    await using cluster = await startCluster({ dataDir, nodes: 0, simulated: 1, port: 0 });
    await cluster.client.create(Secret, { metadata: { name: 's', namespace: 'default' }, stringData: { password: 'hidden' } });
    const containers = [{ name: 'main', image: 'busybox' }];
    await cluster.client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec: { containers } });
    for await (const { object } of cluster.client.watch(Pod, { namespace: 'default' }))
      if ((object as Pod).status.phase === 'Running') break;
    assert.ok(readdirSync(dataDir).length > 1);
    assert.deepEqual(openToOthers(dataDir), []);
  });
  it('are in a directory of their own', () => {
    process.env['TIMONIER_ROOT'] = join(root, 'root');
    try {
      const instance = new Instance('other-users');
      instance.create();
      assert.equal(lstatSync(instance.dir).mode & 0o777, 0o700);
      assert.equal(lstatSync(join(root, 'root')).mode & 0o022, 0);
    } finally {
      delete process.env['TIMONIER_ROOT'];
    }
  });
});

it('nothing rests on the permission model of Node', () => {
  const cwd = join(import.meta.dirname, '../..');
  const sources = globSync(['src/**/*.ts', 'timonier'], { cwd }).map((file) => join(cwd, file));
  assert.ok(sources.length > 500);
  const resting = sources.filter((file) => /--(experimental-)?permission\b|process\.permission/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(resting, []);
});
