/**
 * A cluster of real nodes that remembers itself: stopped with pods that do not want to end, taken up with all that it
 * was, with fewer nodes, and ended after a crash. Real containers, in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import { readSupervision } from '../../src/cluster/instance/supervision.ts';
import { podGraceSecondsMax } from '../../src/cluster/machine/end-process.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'remembered:1';
const archive = '/var/lib/remembered.tar';
const replicas = 7;

const graceSeconds = 3;

/** Ignores SIGTERM; one on each node at least. */
const stubborn = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'stubborn', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'stubborn' } },
    template: {
      metadata: { labels: { app: 'stubborn' } },
      spec: {
        terminationGracePeriodSeconds: graceSeconds,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'stubborn' } },
          },
        ],
        containers: [{ name: 'main', image, command: ['sh', '-c', `trap '' TERM; while :; do sleep 3600; done`] }],
      },
    },
  },
};

const stateOf = (cluster: OwnCluster) => machineState([cluster.dir, `timonier-${cluster.name}`]);

function remembered(): void {
  describe('a cluster with real nodes', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let machineBefore: ReturnType<typeof machineState>;
    let server: string;
    const nodes = async (): Promise<string[]> => (await cluster.kubectl('get', 'nodes', '-o', 'name')).trim().split('\n').sort();
    const rollout = (): Promise<string> => cluster.kubectl('rollout', 'status', 'deployment/stubborn', '--timeout=90s');
    const nodesOfPods = async (): Promise<string[]> => {
      const names = await cluster.kubectl('get', 'pods', '-o', 'jsonpath={range .items[*]}{.spec.nodeName}{"\\n"}{end}');
      return [...new Set(names.trim().split('\n'))].sort();
    };

    before(async () => {
      cluster = await OwnCluster.named(`mem-${process.pid}`, { root: '/var/lib/remembered/clusters' });
      mkdirSync('/var/lib/remembered');
      writeFileSync(archive, busyboxImage(image));
      machineBefore = stateOf(cluster);
    });
    after(async () => void (await cluster.tryTimonier('delete', cluster.name)));

    step('says what it waits for when it is stopped, and its nodes end side by side', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '2', '--port', '0', '--timeout', '100');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
      await cluster.apply(stubborn);
      await rollout();
      assert.equal((await nodesOfPods()).length, 2);
      server = cluster.state().server;
      const startMs = performance.now();
      const said = await cluster.timonier('down', cluster.name);
      const tookMs = performance.now() - startMs;
      assert.match(
        said,
        new RegExp(
          `^Waiting for ${replicas} pods to end, ${graceSeconds} s at most:\\n( {2}default/stubborn-\\S+\\n){5} {2}and 2 more\\nCluster "${cluster.name}" is stopped\\.`,
        ),
      );
      assert.ok(tookMs < podGraceSecondsMax * 1000, `${tookMs} ms: one after the other, or longer than they may take`);
      assert.deepEqual(stateOf(cluster).processes, []);
    });

    step('comes back as it was', async () => {
      assert.doesNotMatch(await cluster.timonier('up', cluster.name, '--timeout', '100'), /→/);
      assert.deepEqual([cluster.state().server, await nodes()], [server, [`node/${cluster.name}-1`, `node/${cluster.name}-2`]]);
      await rollout();
    });

    step('running or crashed, does not give up a node; `down` ends what a crash has left', async () => {
      const { stderr } = await cluster.tryTimonier('up', cluster.name, '--nodes', '1');
      assert.match(stderr, new RegExp(`^timonier: cluster "${cluster.name}" has to be stopped for this: nodes: 2 → 1\\n`));
      const supervisor = readSupervision(cluster.dir) ?? assert.fail('no supervisor');
      for (const pid of [supervisor.pid, cluster.state().pid]) process.kill(pid, 'SIGKILL');
      while (isAlive(cluster.state())) await new Promise(setImmediate);
      assert.match(
        (await cluster.tryTimonier('up', cluster.name, '--nodes', '1')).stderr,
        /has crashed, and \d+ pods of it, which still run, have to end for this: nodes: 2 → 1\n/,
      );
      assert.notDeepEqual(stateOf(cluster).processes, []);
      assert.match(
        await cluster.timonier('down', cluster.name),
        new RegExp(`^Cluster "${cluster.name}" had crashed; ${replicas} pods that still ran are ended\\.`),
      );
      assert.deepEqual(stateOf(cluster).processes, []);
      assert.equal(existsSync(join(cluster.dir, 'state.json')), false);
      assert.match(await cluster.timonier('down', cluster.name), /was not running\.\n$/);
    });

    step('with a node less, says so, and its pods are where it still is', async () => {
      assert.match(
        await cluster.timonier('up', cluster.name, '--nodes', '1', '--simulated', '1', '--timeout', '100'),
        /^ {2}nodes: 2 → 1\n {2}simulated nodes: 0 → 1\n/,
      );
      assert.deepEqual(await nodes(), [`node/${cluster.name}-1`, `node/${cluster.name}-simulated-1`]);
      await cluster.kubectl('taint', 'node', `${cluster.name}-simulated-1`, 'only=real:NoExecute', '--overwrite');
      await rollout();
      assert.equal(JSON.parse(readFileSync(join(cluster.dir, 'settings.json'), 'utf8')).kept.config.nodes, 1);
      assert.ok(!(await nodesOfPods()).includes(`${cluster.name}-2`));
      assert.match(await cluster.timonier('up', cluster.name, '--simulated', '0'), /\n {2}simulated nodes: 1 → 0\n/);
      assert.deepEqual(await nodes(), [`node/${cluster.name}-1`]);
      await rollout();
    });

    step('is deleted without a trace', async () => {
      await cluster.timonier('delete', cluster.name);
      assert.deepEqual(stateOf(cluster), machineBefore);
    });
  });
}

if (inOwnNamespaces(import.meta.url)) remembered();
