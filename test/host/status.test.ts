/** What `list`, `status` and the commands that take a name say of a cluster, in each state that it can be in. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import type { ClusterStatus } from '../../src/cluster/instance/status.ts';
import { readSupervision } from '../../src/cluster/instance/supervision.ts';
import { containerdPaths, containerdWords } from '../../src/node/runtime/containerd-config.ts';
import { processesEnding } from '../../src/node/runtime/processes.ts';
import { busyboxImage } from './busybox-image.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'status:1';
const place = '/var/lib/status';
const archive = join(place, 'image.tar');
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'left', namespace: 'default' },
  spec: { containers: [{ name: 'main', image, command: ['sh', '-c', 'sleep 1000000'] }] },
};

interface Listed {
  readonly clusters: readonly { readonly name: string; readonly state: string; readonly running: boolean; readonly leftPods?: number }[];
}

if (inOwnNamespaces(import.meta.url)) {
  describe('a cluster is said to be', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    const listed = async () => (JSON.parse(await cluster.timonier('list', '--json')) as Listed).clusters;
    const status = async (): Promise<{ code: number; data: ClusterStatus }> => {
      const { code, stdout } = await cluster.tryTimonier('status', cluster.name, '--json');
      return { code, data: JSON.parse(stdout) as ClusterStatus };
    };
    const codesOf = ({ problems }: ClusterStatus): string[] => problems.map(({ code }) => code);

    before(async () => {
      mkdirSync(place);
      writeFileSync(archive, busyboxImage(image));
      cluster = await OwnCluster.named('told', { root: join(place, 'clusters') });
    });
    after(() => cluster.tryTimonier('delete', cluster.name));

    step('not there, with the names that are', async () => {
      const nowhere = { code: 1, stdout: '', stderr: 'timonier: there is no cluster "told"\n  fix: timonier up told makes it\n' };
      for (const words of [
        ['status', 'told'],
        ['logs', 'told'],
        ['kubeconfig', 'told'],
        ['down', 'told'],
        ['delete', 'told'],
        ['kubectl', '--cluster-name', 'told', 'get', 'nodes'],
        ['image', 'ls', '--cluster-name', 'told'],
      ])
        assert.deepEqual(await cluster.tryTimonier(...words), nowhere, words.join(' '));
    });

    step('not there after a first start that failed, but for its log', async () => {
      const { code } = await cluster.tryTimonier('up', cluster.name, '--nodes', '0', '--port', '0', '--timeout', '0.1');
      assert.equal(code, 1);
      assert.deepEqual(readdirSync(cluster.dir), ['timonier.log']);
      assert.deepEqual(await listed(), []);
      const { stderr } = await cluster.tryTimonier('status', cluster.name);
      assert.match(stderr, /^timonier: there is no cluster "told": its first start failed\n {2}fix: timonier logs told says why/);
      assert.match(await cluster.timonier('logs', cluster.name), /not ready after 0.1 s/);
      await cluster.timonier('delete', cluster.name);
      assert.equal(existsSync(cluster.root), false);
    });

    step('running in the foreground, with a log that is followed by one process alone', async () => {
      const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
      const start = (...words: readonly string[]): ChildProcess =>
        spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], {
          env: { ...process.env, ...cluster.env },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
      mkdirSync(cluster.dir, { recursive: true });
      const running = start('run', cluster.name, '--nodes', '0', '--port', '0');
      const ended = once(running, 'exit');
      running.stdout?.resume();
      await cluster.until(() => existsSync(join(cluster.dir, 'state.json')));
      assert.deepEqual((await status()).data.supervisor, undefined);
      const follower = start('logs', cluster.name, '--follow');
      await once(follower.stdout ?? assert.fail(), 'data');
      assert.equal(readFileSync(`/proc/${follower.pid}/task/${follower.pid}/children`, 'utf8'), '');
      follower.kill('SIGKILL');
      running.kill('SIGKILL');
      await ended;
      assert.equal((await status()).data.state, 'crashed');
      assert.match(await cluster.timonier('logs', cluster.name), /"msg":"the cluster is ready"/);
      await cluster.timonier('delete', cluster.name);
    });

    step('running, with its nodes, pods and checks as data', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--port', '0', '--timeout', '60');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
      await cluster.apply(pod);
      await cluster.kubectl('wait', '--for=condition=Ready', 'pod/left', '--timeout=60s');
      const { code, data } = await status();
      const { server, pid } = cluster.state();
      assert.deepEqual([code, data.state, data.healthy, data.problems], [0, 'running', true, []]);
      assert.equal(data.process?.pid, pid);
      assert.ok(Number.isInteger(data.process?.uptimeMs));
      assert.deepEqual([data.apiServer?.url, data.apiServer?.answers], [server, true]);
      assert.ok(data.apiServer?.checks.some(({ name, ok }) => name === 'etcd-readiness' && ok));
      assert.deepEqual(data.nodes, [{ name: 'told-1', simulated: false, ready: true, proxyHealthy: true, runtimeRuns: true }]);
      assert.ok((data.pods?.['Running'] ?? 0) >= 1);
      assert.deepEqual(data.supervisor, { pid: readSupervision(cluster.dir)?.pid, restarts: 0 });
      const { stderr } = await cluster.tryTimonier('status', 'tolt');
      assert.equal(stderr, 'timonier: there is no cluster "tolt"\n  fix: name one that is there: told\n');
    });

    step('running, but for its containerd', async () => {
      const [containerd = 0] = processesEnding(containerdWords(containerdPaths(join(cluster.dir, 'nodes', '1', 'containerd'))));
      process.kill(containerd, 'SIGSTOP');
      const { code, data } = await status();
      process.kill(containerd, 'SIGCONT');
      assert.deepEqual([code, codesOf(data)], [1, ['runtime-failed']]);
    });

    step('paused', async () => {
      const { pid } = cluster.state();
      process.kill(pid, 'SIGSTOP');
      const { code, data } = await status();
      process.kill(pid, 'SIGCONT');
      assert.deepEqual([code, data.state, codesOf(data)], [1, 'paused', ['paused']]);
    });

    step('crashed, with what still runs', async () => {
      const supervisor = readSupervision(cluster.dir)?.pid ?? assert.fail();
      const { pid } = cluster.state();
      for (const each of [supervisor, pid]) process.kill(each, 'SIGKILL');
      while (isAlive({ pid })) await new Promise(setImmediate);
      const { code, data } = await status();
      assert.deepEqual([code, data.state, data.leftPods, codesOf(data)], [1, 'crashed', 1, ['crashed']]);
      assert.deepEqual(
        (await listed()).map(({ state, running, leftPods }) => ({ state, running, leftPods })),
        [{ state: 'crashed', running: false, leftPods: 1 }],
      );
      assert.match(
        (await cluster.tryTimonier('kubeconfig', cluster.name)).stderr,
        /^timonier: cluster "told" has crashed\n {2}fix: timonier up told$/m,
      );
      await cluster.timonier('up', cluster.name, '--timeout', '60');
      assert.equal((await status()).code, 0);
    });

    step('stopping, and is not taken for one that runs', async () => {
      const down = cluster.timonier('down', cluster.name);
      await cluster.until(() => existsSync(join(cluster.dir, 'state.json')) && cluster.state().stopping === true);
      const [{ data }, up] = await Promise.all([status(), cluster.tryTimonier('up', cluster.name)]);
      assert.deepEqual([data.state, codesOf(data)], ['stopping', ['stopping']]);
      assert.match(up.stderr, /^timonier: cluster "told": it is being stopped\n {2}fix: timonier down told waits for it; then /);
      assert.match(await down, /Cluster "told" is stopped/);
    });

    step('stopped', async () => {
      const { code, data } = await status();
      assert.deepEqual([code, data.state, codesOf(data), data.leftPods], [1, 'stopped', ['not-running'], undefined]);
    });

    step('damaged', async () => {
      appendFileSync(join(cluster.dir, 'state.json'), 'nonsense');
      const { code, data } = await status();
      assert.deepEqual([code, data.state, codesOf(data)], [1, 'damaged', ['file-damaged']]);
      assert.match(await cluster.timonier('list'), /^told +damaged/m);
      rmSync(join(cluster.dir, 'state.json'));
    });
  });
}
