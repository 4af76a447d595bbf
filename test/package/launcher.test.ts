/** A fresh checkout: what its launcher installs, under which Node it starts, and how the rest of the machine gets at it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { blocksOf } from '../kit/console-blocks.ts';

const root = join(import.meta.dirname, '..', '..');
/** Without a Node of its own. */
const installedBytesMax = 80_000_000;
/** With a registry that is near. */
const firstStartSecondsMax = 15;
/** Node that runs TypeScript as it stands. */
const firstWithTypes = 22;
/** What the launcher and npm use of the system. */
const systemPrograms = ['sh', 'readlink', 'dirname', 'sed', 'tr', 'cmp', 'cp', 'mktemp', 'rm', 'mkdir', 'tar', 'gzip', 'env'];

describe('the launcher in a fresh checkout', () => {
  let dir = '';
  const checkout = (): string => join(dir, 'checkout');
  /** Programs before all others: a `node` that says it is `version` and reads what that can, and npm, which runs under the real one. */
  const path = (version: string): string => {
    const bin = join(dir, `bin-${version}`);
    if (!existsSync(bin)) {
      mkdirSync(bin);
      writeFileSync(
        join(bin, 'node'),
        [
          '#!/bin/sh',
          `case $1 in --version) echo v${version}; exit ;; ${parseInt(version, 10) < firstWithTypes ? '*.ts) exit 1 ;;' : ''} esac`,
          `exec '${process.execPath}' "$@"\n`,
        ].join('\n'),
        { mode: 0o755 },
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
      ['ls-files', '--cached', '--others', '--exclude-standard', 'timonier', 'bin', 'package*.json', '.npmrc', 'src', 'scripts'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    for (const file of files.trim().split('\n')) cpSync(join(root, file), join(checkout(), file), { verbatimSymlinks: true });
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

  it('has its first cluster within seconds, all that has to be installed included', () => {
    rmSync(join(checkout(), 'node_modules'), { recursive: true });
    const timed = ['-c', 'TIMEFORMAT="%R %U %S"; time "$0" ci --quiet -- true 2>/dev/null', join(checkout(), 'timonier')];
    const { status, stderr } = spawnSync('bash', timed, { env: { ...process.env, PATH: path('26.4.0') }, encoding: 'utf8' });
    const [, userSeconds = NaN, systemSeconds = NaN] = stderr.trim().split(' ').map(Number);
    assert.equal(status, 0, stderr);
    // of processors, since the machine may be busy: one that is not takes about as long
    assert.ok(userSeconds + systemSeconds <= firstStartSecondsMax, `real, user, system: ${stderr}`);
  });

  it('installs the pinned Node alone where the one that is there is too old', () => {
    const first = start('20.1.0', 'version');
    assert.match(first.stdout, /^timonier \d/, first.stderr);
    const pinned = globSync('node_modules/.timonier-node/node_modules/node-*/bin/node', { cwd: checkout() });
    assert.equal(pinned.length, 1);
    assert.ok(!existsSync(join(checkout(), 'node_modules/typescript')));
    assert.equal(start('20.1.0', 'version').stderr, '');
  });

  /** As the README's "Set up" has it. */
  const type = (command: string, { cwd = checkout(), ...more }: { cwd?: string; PATH?: string; KUBECONFIG?: string } = {}): string => {
    const { PATH = path('20.1.0'), KUBECONFIG = '/nonexistent' } = more;
    const env = { ...process.env, PATH: `${join(checkout(), 'bin')}:${PATH}`, KUBECONFIG };
    return execFileSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' });
  };

  it('brings timonier and kubectl into the PATH by its bin', () => {
    assert.match(type('timonier version'), /^timonier \d/);
    const others = join(dir, 'bin-others');
    mkdirSync(others);
    symlinkSync(join(checkout(), 'bin/kubectl'), join(others, 'kubectl'));
    const theirs = join(dir, 'bin-theirs');
    mkdirSync(theirs);
    writeFileSync(join(theirs, 'kubectl'), '#!/bin/sh\necho "theirs: $*"\n', { mode: 0o755 });
    assert.equal(type("kubectl get 'a pod'", { PATH: `${others}:${theirs}:/usr/bin:/bin` }), 'theirs: get a pod\n');

    const bare = join(dir, 'bin-bare');
    mkdirSync(bare);
    for (const program of systemPrograms)
      symlinkSync(execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(), join(bare, program));
    for (const program of ['node', 'npm']) symlinkSync(join(dir, 'bin-20.1.0', program), join(bare, program));
    const KUBECONFIG = join(dir, 'own.yaml');
    writeFileSync(KUBECONFIG, 'apiVersion: v1\nkind: Config\ncurrent-context: mine\n');
    assert.equal(type('kubectl config current-context', { PATH: `${others}:${bare}`, KUBECONFIG }), 'mine\n');
  });

  const program = blocksOf(readFileSync(join(root, 'README.md'), 'utf8')).find(({ language }) => language === 'ts');
  const isLibraryIn = (cwd: string): void => {
    writeFileSync(join(cwd, 'bread.mjs'), (program?.lines ?? assert.fail('no program in the README')).join('\n'));
    assert.match(type('timonier node bread.mjs', { cwd }), /^apiVersion: v1\n(.*\n)*kind: Config\n/);
  };

  it('is the library in any file of it', () => isLibraryIn(checkout()));

  it('is the library of a package that it is installed into, also when nothing of it is installed yet', () => {
    rmSync(join(checkout(), 'node_modules'), { recursive: true });
    const user = join(dir, 'user');
    mkdirSync(user);
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    type(`npm install --no-audit --no-fund --prefer-offline ${checkout()}`, { cwd: user });
    isLibraryIn(user);
    assert.match(type('node_modules/.bin/timonier version', { cwd: user }), /^timonier \d/);
  });
});
