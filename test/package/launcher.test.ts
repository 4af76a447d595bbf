/** The launcher in a fresh checkout: what it installs, and under which Node it starts. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
/** Without a Node of its own. */
const installedBytesMax = 80_000_000;

describe('the launcher in a fresh checkout', () => {
  let dir = '';
  const checkout = (): string => join(dir, 'checkout');
  /** Programs before all others: a `node` that says it is `version`, and npm, which runs under the real one. */
  const path = (version: string): string => {
    const bin = join(dir, `bin-${version}`);
    if (!existsSync(bin)) {
      mkdirSync(bin);
      writeFileSync(
        join(bin, 'node'),
        `#!/bin/sh\n[ "$1" != --version ] || { echo v${version}; exit; }\nexec '${process.execPath}' "$@"\n`,
        {
          mode: 0o755,
        },
      );
      symlinkSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim(), join(bin, 'npm'));
    }
    return `${bin}:/usr/bin:/bin`;
  };
  const start = (version: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(join(checkout(), 'timonier'), args, { env: { ...process.env, PATH: path(version) }, encoding: 'utf8' });

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'timonier-launcher-'));
    const files = execFileSync(
      'git',
      ['ls-files', '--cached', '--others', '--exclude-standard', 'timonier', 'package*.json', '.npmrc', 'src', 'scripts'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    for (const file of files.trim().split('\n')) cpSync(join(root, file), join(checkout(), file));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('says that there is no network, where npm reaches none', () => {
    const bin = join(dir, 'bin-offline');
    mkdirSync(bin);
    const said = 'npm error code ENOTFOUND\\nnpm error network request failed';
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\nprintf '${said}\\n' >&2\nexit 1\n`, { mode: 0o755 });
    const { status, stderr } = spawnSync(join(checkout(), 'timonier'), ['version'], {
      env: { ...process.env, PATH: `${bin}:${path('26.4.0')}` },
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /^npm error code ENOTFOUND\n(.*\n)*timonier: npm reached no registry: is there a network\?/m);
  });

  it('takes the Node that is there, if it will do, and leaves out what only development needs', () => {
    const first = start('26.4.0', 'version');
    assert.match(first.stderr, /^timonier: installing npm dependencies \(once\)\n/);
    assert.match(first.stdout, /^timonier \d/, first.stderr);
    const modules = join(checkout(), 'node_modules');
    for (const name of ['typescript', '@biomejs', '@kubernetes', 'node', '.timonier-node'])
      assert.ok(!existsSync(join(modules, name)), name);
    const files = globSync('**', { cwd: modules }).map((file) => statSync(join(modules, file)));
    const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
    assert.ok(bytes < installedBytesMax, `${bytes} bytes installed`);
    assert.ok(existsSync(join(checkout(), 'src/api/data/descriptions.json')), 'kubectl explain has its texts');
    const second = start('26.4.0', 'version');
    assert.deepEqual({ status: second.status, stderr: second.stderr }, { status: 0, stderr: '' });
  });

  it('installs the pinned Node alone where the one that is there is too old', () => {
    const first = start('20.1.0', 'version');
    assert.match(first.stdout, /^timonier \d/, first.stderr);
    const pinned = globSync('node_modules/.timonier-node/node_modules/node-*/bin/node', { cwd: checkout() });
    assert.equal(pinned.length, 1);
    assert.ok(!existsSync(join(checkout(), 'node_modules/typescript')));
    assert.equal(start('20.1.0', 'version').stderr, '');
  });
});
