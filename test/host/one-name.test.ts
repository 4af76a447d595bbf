/**
 * Two installations on one machine, and one name: the second cluster of real nodes is refused, and whatever is done with
 * it leaves the first as it is. Real containers, in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import { readSupervision } from '../../src/cluster/instance/supervision.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, invoke, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const image = 'one-name:1';
const archive = '/var/lib/one-name.tar';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'stays', namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['sleep', '36000'] }] },
};

function oneName(): void {
  describe('two clusters of one name', () => {
    const step = inSteps();
    let first: OwnCluster;
    let second: OwnCluster;
    let machineBefore: ReturnType<typeof machineState>;
    let container: string;
    const state = () => machineState([first.dir, `timonier-${first.name}`]);
    const up = (): string[] => ['up', second.name, '--nodes', '1', '--port', '0', '--timeout', '60'];
    const containerNow = (): Promise<string> =>
      first.kubectl('get', 'pod', 'stays', '-o', 'jsonpath={.status.phase} {.status.containerStatuses[0].containerID}');
    /** Nothing of the first one is touched. */
    const leavesAlone = async <T>(action: () => Promise<T>): Promise<T> => {
      const { processes, links, rules, namespaces } = state();
      const outcome = await action();
      const now = state();
      assert.deepEqual([now.processes, now.links, now.rules, now.namespaces], [processes, links, rules, namespaces]);
      return outcome;
    };

    before(async () => {
      const name = `one-${process.pid}`;
      mkdirSync('/var/lib/one-name');
      first = await OwnCluster.named(name, { root: '/var/lib/one-name/a' });
      second = await OwnCluster.named(name, { root: '/var/lib/one-name/b' });
      for (const { root } of [first, second]) mkdirSync(root);
      writeFileSync(archive, busyboxImage(image));
      machineBefore = state();
    });
    after(async () => {
      for (const cluster of [first, second]) await cluster.tryTimonier('delete', cluster.name);
    });

    step('the first one has a pod', async () => {
      await first.timonier('up', first.name, '--nodes', '1', '--port', '0', '--timeout', '100');
      await first.timonier('image', 'load', '--cluster-name', first.name, archive);
      assert.equal((await first.apply(pod)).code, 0);
      await first.kubectl('wait', '--for=condition=Ready', 'pod/stays', '--timeout=90s');
      container = await containerNow();
    });

    step('the second is refused before its first phase', async () => {
      const { code, stdout, stderr } = await leavesAlone(() => second.tryTimonier(...up()));
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      const why = `another cluster "${first.name}" has its nodes on this machine: that one is kept in ${first.dir}`;
      assert.equal(stderr, `timonier: ${why}\n  fix: take another name, or delete that cluster first\n`);
    });

    step('also from another network', async () => {
      const command = ['ip link set lo up; exec "$@"', 'sh', process.execPath, '--disable-warning=ExperimentalWarning', main, ...up()];
      const { code, stdout, stderr } = await leavesAlone(() => invoke('unshare', ['--net', 'sh', '-c', ...command], { env: second.env }));
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      assert.match(stderr, new RegExp(`has its nodes on this machine: process \\d+ is in its cgroup /timonier-${first.name}\n`));
    });

    step('the second, with nodes of its own before, is stopped and deleted alone', async () => {
      await second.timonier('up', second.name, '--nodes', '0', '--port', '0');
      mkdirSync(join(second.dir, 'nodes', '1'), { recursive: true });
      process.kill(readSupervision(second.dir)?.pid ?? assert.fail('no supervisor'), 'SIGKILL');
      process.kill(second.state().pid, 'SIGKILL');
      while (isAlive(second.state())) await new Promise(setImmediate);
      for (const word of ['down', 'delete']) await leavesAlone(() => second.timonier(word, second.name));
      assert.equal(await containerNow(), container);
    });

    step('the first takes up what it left when it was killed', async () => {
      const supervisor = readSupervision(first.dir) ?? assert.fail('no supervisor');
      for (const pid of [supervisor.pid, first.state().pid]) process.kill(pid, 'SIGKILL');
      while (isAlive(first.state())) await new Promise(setImmediate);
      await first.timonier('up', first.name, '--timeout', '100');
      assert.equal(await containerNow(), container);
    });

    step('the second can be started while the first is stopped, and then that one is refused', async () => {
      await first.timonier('down', first.name);
      await second.timonier(...up());
      assert.match((await first.tryTimonier('up', first.name)).stderr, new RegExp(`that one is kept in ${second.dir}\n`));
      await second.timonier('delete', second.name);
    });

    step('and both are deleted without a trace', async () => {
      await first.timonier('delete', first.name);
      assert.deepEqual(state(), machineBefore);
    });
  });
}

if (inOwnNamespaces(import.meta.url)) oneName();
