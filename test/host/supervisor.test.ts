/**
 * A cluster whose process, supervisor or nodes end in every way but the usual one: killed, stuck, interrupted, deleted
 * with pods that do not want to end. As a user sees it who has the command line. Real containers, in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { isAlive } from '../../src/client/processes.ts';
import { readSupervision, type Supervision } from '../../src/cluster/instance/supervision.ts';
import { processesEnding } from '../../src/node/runtime/processes.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'supervised:1';
const archive = '/var/lib/supervised.tar';
/** More than a start takes here on a busy machine. */
const deleteMsMax = 20_000;

/** Pods that ignore SIGTERM and may take an hour to end. */
const stubborn = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'stubborn', namespace: 'default' },
  spec: {
    replicas: 6,
    selector: { matchLabels: { app: 'stubborn' } },
    template: {
      metadata: { labels: { app: 'stubborn' } },
      spec: {
        terminationGracePeriodSeconds: 3600,
        containers: [{ name: 'main', image, command: ['sh', '-c', `trap '' TERM; while :; do sleep 3600; done`] }],
      },
    },
  },
};

const stateOf = (cluster: OwnCluster) => machineState([cluster.dir, `timonier-${cluster.name}`]);

interface EndedStart {
  readonly name: string;
  readonly harm: (them: {
    readonly up: ChildProcess;
    readonly supervisor: number;
    readonly main: number;
    readonly cluster: OwnCluster;
  }) => unknown;
  /** absent: there is nobody to say anything */
  readonly says?: RegExp;
  /** default: 1 */
  readonly code?: number;
}

const endedStarts: readonly EndedStart[] = [
  { name: 'that is interrupted', harm: ({ up }) => up.kill('SIGINT'), says: /^timonier: Interrupted; the cluster is stopped$/m, code: 130 },
  {
    name: 'whose terminal is closed',
    harm: ({ up }) => up.kill('SIGHUP'),
    says: /^timonier: Interrupted; the cluster is stopped$/m,
    code: 129,
  },
  { name: 'that nobody waits for any more', harm: ({ up }) => up.kill('SIGKILL') },
  {
    name: 'whose process is killed',
    harm: ({ main }) => process.kill(main, 'SIGKILL'),
    says: /^timonier: the cluster's process ended \(SIGKILL\) before it was ready:/m,
  },
  {
    name: 'whose supervisor is killed',
    harm: ({ supervisor }) => process.kill(supervisor, 'SIGKILL'),
    says: /^timonier: the cluster's supervisor ended \(SIGKILL\) before the cluster was ready, and its process was killed:/m,
  },
  {
    name: 'that is stopped',
    harm: ({ cluster }) => cluster.timonier('down', cluster.name),
    says: /^timonier: the cluster was stopped before it was ready:/m,
  },
];

const supervision = ({ dir }: OwnCluster): Supervision | undefined => readSupervision(dir);
const containers = (cluster: OwnCluster): Promise<string> =>
  cluster.kubectl('get', 'pods', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\\n"}{end}');

function startUp(cluster: OwnCluster, ...flags: readonly string[]): ChildProcess {
  const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'up', cluster.name, ...flags], {
    env: { ...process.env, ...cluster.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

function supervised(): void {
  describe('a cluster in the background', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let machineBefore: ReturnType<typeof machineState>;
    let server: string;

    before(async () => {
      cluster = await OwnCluster.named(`kept-${process.pid}`, { root: '/var/lib/supervised/clusters' });
      mkdirSync('/var/lib/supervised');
      writeFileSync(archive, busyboxImage(image));
      machineBefore = stateOf(cluster);
    });
    after(async () => void (await cluster.tryTimonier('delete', cluster.name)));

    step('has a supervisor, and says so', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '2', '--port', '0', '--timeout', '100');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
      await cluster.apply(stubborn);
      await cluster.kubectl('rollout', 'status', 'deployment/stubborn', '--timeout=60s');
      server = cluster.state().server;
      const { pid } = supervision(cluster) ?? assert.fail('no supervisor');
      assert.match(await cluster.timonier('status', cluster.name), new RegExp(`^Supervisor: +process ${pid}, 0 restarts$`, 'm'));
    });

    step('opens no debugger at SIGUSR1, in none of its processes', async () => {
      const processes = stateOf(cluster).processes.length;
      for (const pid of [cluster.state().pid, ...processesEnding([join(cluster.dir, 'nodes', '2')])]) {
        const ports = (): string => readFileSync(`/proc/${pid}/net/tcp`, 'utf8');
        process.kill(pid, 'SIGUSR1');
        await cluster.kubectl('get', '--raw', '/readyz'); // it has run on since
        assert.doesNotMatch(ports(), /:240D 00000000:0000 0A/); // 9229 listens
      }
      for (const log of ['timonier.log', join('nodes', '2', 'node.log')])
        assert.doesNotMatch(readFileSync(join(cluster.dir, log), 'utf8'), /Debugger listening/);
      assert.equal(stateOf(cluster).processes.length, processes);
    });

    step('killed, comes back by itself, at the same port, with the same containers', async () => {
      const before = await containers(cluster);
      const { pid } = cluster.state();
      process.kill(pid, 'SIGKILL');
      await cluster.until(() => supervision(cluster)?.nextTryAt !== undefined);
      const { code, stdout } = await cluster.tryTimonier('status', cluster.name);
      assert.equal(code, 1);
      assert.match(stdout, /^Process: +(none; started again in [01] s|\d+, starting)$/m);
      await cluster.comesBack(pid);
      assert.equal(cluster.state().server, server);
      assert.equal(await containers(cluster), before);
      assert.match(await cluster.timonier('status', cluster.name), /^Supervisor: +process \d+, 1 restart \(SIGKILL, \d+s ago\)$/m);
      const status = JSON.parse(await cluster.timonier('status', cluster.name, '--json')) as { supervisor: Supervision };
      assert.deepEqual([status.supervisor.restarts, status.supervisor.lastExit], [1, 'signal 9']);
      assert.match(await cluster.timonier('logs', cluster.name), /"supervisor".*ended \(signal 9\); it is started again in 1 s/);
    });

    step('without its supervisor, runs on, says so, and stops', async () => {
      process.kill(supervision(cluster)?.pid ?? assert.fail('no supervisor'), 'SIGKILL');
      const { code, stdout } = await cluster.tryTimonier('status', cluster.name);
      assert.equal(code, 1);
      assert.match(stdout, /^Supervisor: +none: nothing restarts a process that dies$/m);
      await cluster.kubectl('get', '--raw', '/readyz');
      assert.match(await cluster.timonier('down', cluster.name), /is stopped/);
      assert.deepEqual(stateOf(cluster).processes, []);
    });

    step('told to stop by SIGTERM, stays stopped', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '0', '--port', '0', '--timeout', '100');
      const supervisor = supervision(cluster) ?? assert.fail('no supervisor');
      process.kill(cluster.state().pid, 'SIGTERM');
      await cluster.until(() => supervision(cluster) === undefined);
      while (isAlive(supervisor)) await new Promise(setImmediate);
      assert.deepEqual(stateOf(cluster).processes, []);
      assert.match(await cluster.timonier('list'), new RegExp(`^${cluster.name} +stopped`, 'm'));
    });

    step('a start that hangs is given up in time, and leaves nothing running', async () => {
      const up = startUp(cluster, '--nodes', '0', '--port', '0', '--timeout', '1');
      let said = '';
      up.stderr?.on('data', (chunk) => {
        said += String(chunk);
      });
      await cluster.until(() => supervision(cluster)?.process !== undefined);
      process.kill(supervision(cluster)?.process ?? 0, 'SIGSTOP');
      assert.deepEqual(await once(up, 'close'), [1, null]);
      assert.match(said, /^timonier: not ready after 1 s, and the cluster's process did not end: it was killed$/m);
      assert.deepEqual(stateOf(cluster).processes, []);
    });

    for (const { name, harm, says, code: want = 1 } of endedStarts) {
      step(`a start ${name} leaves nothing running`, async () => {
        const up = startUp(cluster, '--nodes', '0', '--port', '0');
        let said = '';
        up.stderr?.on('data', (chunk) => {
          said += String(chunk);
        });
        await cluster.until(() => supervision(cluster)?.process !== undefined);
        const { pid: supervisor, process: main = 0 } = supervision(cluster) ?? assert.fail();
        const ended = once(up, 'close');
        await harm({ up, supervisor, main, cluster });
        const [code] = await ended;
        if (says) assert.match(said, says);
        assert.equal(code, says ? want : null);
        while (stateOf(cluster).processes.length > 0) await new Promise(setImmediate);
        assert.match(await cluster.timonier('list'), new RegExp(`^${cluster.name} +stopped`, 'm'));
      });
    }

    step('while it is being started, every command finds it', async () => {
      const up = startUp(cluster, '--nodes', '0', '--port', '0');
      await cluster.until(() => supervision(cluster)?.process !== undefined);
      const { pid, process: main = 0 } = supervision(cluster) ?? assert.fail();
      process.kill(main, 'SIGSTOP');
      assert.match(await cluster.timonier('list'), new RegExp(`^${cluster.name} +starting`, 'm'));
      const status = await cluster.tryTimonier('status', cluster.name);
      assert.equal(
        status.stdout,
        `Cluster:     ${cluster.name}, starting\nProcess:     ${main}, starting\nSupervisor:  process ${pid}, 0 restarts\n`,
      );
      const second = await cluster.tryTimonier('up', cluster.name);
      assert.match(second.stderr, new RegExp(`^timonier: cluster "${cluster.name}" is being started already \\(process ${main}\\)$`, 'm'));
      assert.match((await cluster.tryTimonier('kubeconfig', cluster.name)).stderr, /is being started$/m);
      process.kill(main, 'SIGCONT');
      const ended = once(up, 'close');
      await cluster.timonier('down', cluster.name);
      assert.deepEqual(await ended, [1, null]);
      assert.deepEqual(stateOf(cluster).processes, []);
    });

    step('deleted while it is being started for the first time, it is gone', async () => {
      const first = await OwnCluster.named(`first-${process.pid}`, { root: cluster.root });
      const before = stateOf(first);
      mkdirSync(first.dir, { mode: 0o700 });
      const up = startUp(first, '--nodes', '1', '--port', '0');
      let said = '';
      up.stderr?.on('data', (chunk) => {
        said += String(chunk);
      });
      const ended = once(up, 'close');
      await first.until(() => supervision(first)?.process !== undefined);
      assert.match(await first.timonier('delete', first.name), /is deleted/);
      assert.deepEqual(await ended, [1, null]);
      assert.match(said, /^timonier: cluster ".*" was deleted while it started$/m);
      assert.deepEqual(stateOf(first), before);
      assert.equal(existsSync(first.dir), false);
    });

    step('killed in its first start, it leaves its log, and nothing on the machine', async () => {
      const first = await OwnCluster.named(`first-${process.pid}`, { root: cluster.root });
      const before = stateOf(first);
      mkdirSync(first.dir, { mode: 0o700 });
      const up = startUp(first, '--nodes', '1', '--port', '0');
      const ended = once(up, 'close');
      await first.until(() => existsSync(join(first.dir, 'store')));
      process.kill(supervision(first)?.pid ?? assert.fail(), 'SIGKILL');
      assert.deepEqual(await ended, [1, null]);
      assert.deepEqual(stateOf(first), before);
      assert.equal(existsSync(join(first.dir, 'timonier.log')), true);
      await first.timonier('delete', first.name);
      assert.equal(existsSync(first.dir), false);
    });

    step('whose supervisor and `up` are gone while it starts, is found and ended', async () => {
      const up = startUp(cluster, '--nodes', '0', '--port', '0');
      await cluster.until(() => supervision(cluster)?.process !== undefined);
      const { pid, process: main = 0 } = supervision(cluster) ?? assert.fail();
      const ended = once(up, 'close');
      process.kill(main, 'SIGSTOP');
      up.kill('SIGKILL');
      await ended;
      process.kill(pid, 'SIGKILL');
      while (supervision(cluster)) await new Promise(setImmediate);
      const { stdout } = await cluster.tryTimonier('status', cluster.name);
      assert.match(stdout, new RegExp(`^Process: +${main}, starting\\nSupervisor: +none: nothing restarts a process that dies$`, 'm'));
      await cluster.timonier('up', cluster.name, '--nodes', '0', '--port', '0', '--timeout', '100');
      assert.equal(isAlive({ pid: main }), false);
      await cluster.timonier('down', cluster.name);
      assert.deepEqual(stateOf(cluster).processes, []);
    });

    step('is deleted at once, whatever its pods want, without a trace', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '2', '--port', '0', '--timeout', '100');
      await cluster.kubectl('rollout', 'status', 'deployment/stubborn', '--timeout=90s');
      const startMs = performance.now();
      assert.equal(await cluster.timonier('delete', cluster.name), `Cluster "${cluster.name}" is deleted.\n`);
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < deleteMsMax, `${tookMs} ms`);
      assert.deepEqual(stateOf(cluster), machineBefore);
    });
  });
}

if (inOwnNamespaces(import.meta.url)) supervised();
