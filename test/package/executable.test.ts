/** The single executable: built, moved to an empty folder, and used there without the checkout. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

describe('the single executable', () => {
  let dir = '';
  const timonier = (...args: string[]): string =>
    execFileSync(join(dir, 'timonier'), args, {
      cwd: dir,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: dir,
        XDG_CACHE_HOME: join(dir, 'cache'),
        TIMONIER_ROOT: join(dir, 'clusters'),
        KUBECONFIG: join(dir, 'kubeconfig'),
      },
    });

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'timonier-executable-'));
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
    execFileSync('npm', ['run', '--silent', 'build:sea'], { cwd: root, env });
    copyFileSync(join(root, 'build/timonier'), join(dir, 'timonier'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('lays its files out once', () => {
    const cache = join(dir, 'cache/timonier');
    assert.match(timonier('version'), /^timonier \d+\.\d+\.\d+ \(Kubernetes API v1\.36/);
    const homes = (): string[] => readdirSync(cache).filter((name) => name.startsWith('executable-'));
    const [home = ''] = homes();
    timonier('version');
    assert.deepEqual(homes(), [home]);
    for (const file of ['THIRD-PARTY-NOTICES.md', 'examples/bakery/bakery.sh']) assert.ok(existsSync(join(cache, home, file)), file);
  });

  it('starts a cluster, is kubectl to it, and ends it', () => {
    try {
      timonier('up', 'alone', '--nodes', '0', '--simulated', '1', '--port', '0');
      assert.match(timonier('kubectl', '--cluster-name', 'alone', 'get', 'nodes', '--no-headers'), /^\S+ +Ready /);
      assert.match(timonier('status', 'alone'), /1 of 1 Ready/);
      timonier('down', 'alone');
      assert.match(timonier('list'), /alone +stopped/);
    } finally {
      timonier('delete', 'alone');
    }
    assert.ok(!existsSync(join(dir, 'clusters')), 'nothing of it is left');
  });
});
