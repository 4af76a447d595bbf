/**
 * A cluster from its first start to its removal, as a user sees it who has the command line and kubectl: stopped,
 * killed, started again, beside another one, and starts that fail. Real containers, in namespaces of its own.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../src/api/generated/kinds.ts';
import { realClock, realRandom } from '../../src/client/clock.ts';
import { accessOf, parseKubeconfig } from '../../src/client/files/kubeconfig.ts';
import { silentLog } from '../../src/client/log.ts';
import { createHTTPClient } from '../../src/client/transport/http-client.ts';
import { containerdPaths, containerdWords } from '../../src/node/runtime/containerd-config.ts';
import { processesEnding } from '../../src/node/runtime/processes.ts';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'lifecycle:1';
const archive = '/var/lib/lifecycle.tar';

/** A pod whose process is known by the number of seconds that it sleeps. */
const sleeper = (name: string, seconds: number): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', image, command: ['sh', '-c', `trap 'exit 0' TERM; sleep ${seconds} & wait`] }] },
});

/** Of processes that sleep for so long. */
const pidsOf = (seconds: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${seconds}\0`;
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);

const containerdsOf = ({ dir }: OwnCluster): number[] =>
  processesEnding(containerdWords(containerdPaths(join(dir, 'nodes', '1', 'containerd'))));
const stateOf = (cluster: OwnCluster) => machineState([cluster.dir, `timonier-${cluster.name}`]);
const waitReady = (cluster: OwnCluster, pod: string): Promise<string> =>
  cluster.kubectl('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=30s');
const containerOf = (cluster: OwnCluster, pod: string): Promise<string> =>
  cluster.kubectl(
    'get',
    'pod',
    pod,
    '-o',
    'jsonpath={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}',
  );

async function startWithPod(cluster: OwnCluster, seconds: number, ...flags: readonly string[]): Promise<void> {
  await cluster.timonier('up', cluster.name, '--nodes', '1', '--timeout', '60', ...flags);
  await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
  await cluster.apply(sleeper('first', seconds));
  await waitReady(cluster, 'first');
}

/** Creates until the server is gone; gives the names of what it has acknowledged. */
async function createUntilKilled(cluster: OwnCluster, killAfter: number): Promise<string[]> {
  const access = await accessOf(await parseKubeconfig(readFileSync(join(cluster.dir, 'admin.kubeconfig'), 'utf8')));
  const client = createHTTPClient({ ...access, clock: realClock, random: realRandom, log: silentLog });
  const acknowledged: string[] = [];
  const { pid } = cluster.state();
  const work = async (worker: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const name = `kept-${worker}-${i}`;
      try {
        await client.create(ConfigMap, { metadata: { name, namespace: 'default' }, data: { at: String(i) } });
      } catch {
        return; // what it did not acknowledge may be there or not
      }
      if (acknowledged.push(name) === killAfter) process.kill(pid, 'SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, worker) => work(worker)));
  await client[Symbol.asyncDispose]();
  return acknowledged;
}

function aLife(): void {
  describe('a cluster', () => {
    const step = inSteps();
    const seconds = 1_000_000 + process.pid;
    const foreign = { apiVersion: 'v1', kind: 'Config', contexts: [{ name: 'other', context: { cluster: 'o', user: 'o' } }] };
    let cluster: OwnCluster;
    let second: OwnCluster;
    let machineBefore: ReturnType<typeof machineState>;
    let objects: string;
    const allObjects = (): Promise<string> =>
      cluster.kubectl(
        'get',
        'configmaps,secrets,services,pods,deployments',
        '-o',
        'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid}{"\\n"}{end}',
      );

    before(async () => {
      const root = '/var/lib/lifecycle/clusters';
      const kubeconfig = '/var/lib/lifecycle/user.kubeconfig';
      cluster = await OwnCluster.named(`life-${process.pid}`, { root, env: { KUBECONFIG: kubeconfig } });
      second = await OwnCluster.named(`life-${process.pid}-2`, { root, env: { KUBECONFIG: kubeconfig } });
      mkdirSync('/var/lib/lifecycle');
      writeFileSync(kubeconfig, JSON.stringify(foreign));
      writeFileSync(archive, busyboxImage(image));
      machineBefore = stateOf(cluster);
    });
    after(async () => {
      for (const each of [cluster, second]) await each.tryTimonier('delete', each.name);
    });

    step('starts; what is secret is its owner’s alone', async () => {
      await startWithPod(cluster, seconds);
      const dir = (...parts: string[]): string => join(cluster.dir, ...parts);
      const keys = readdirSync(dir('pki')).filter((name) => name.endsWith('.key'));
      assert.ok(keys.length > 3);
      const secret = [
        ...keys.map((name) => dir('pki', name)),
        dir('admin.kubeconfig'),
        dir('state.json'),
        dir('timonier.log'),
        cluster.env['KUBECONFIG'] ?? '',
      ];
      for (const file of secret) assert.equal(statSync(file).mode & 0o777, 0o600, file);
      assert.equal(statSync(cluster.dir).mode & 0o777, 0o700);
      assert.deepEqual((await cluster.kubectl('config', 'get-contexts', '-o', 'name')).trim().split('\n').sort(), [
        'other',
        `timonier-${cluster.name}`,
      ]);
    });

    step('started again while it runs, says so', async () => {
      const { pid } = cluster.state();
      assert.equal(
        await cluster.timonier('up', cluster.name),
        `Cluster "${cluster.name}" runs already, at ${cluster.state().server} (process ${pid}).\n`,
      );
      assert.equal(cluster.state().pid, pid);
      const { code, stderr } = await cluster.tryTimonier('run', cluster.name);
      assert.equal(code, 1);
      assert.match(
        stderr,
        new RegExp(`^timonier: cluster "${cluster.name}" runs already \\(process ${pid}\\)\\n {2}fix: timonier down ${cluster.name}\\n$`),
      );
    });

    step('stopped, runs nothing; started again, has every object, and runs the pod', async () => {
      await cluster.kubectl('create', 'configmap', 'menu', '--from-literal=bread=rye');
      await cluster.kubectl('create', 'secret', 'generic', 'recipe', '--from-literal=flour=1kg');
      await cluster.kubectl('create', 'service', 'clusterip', 'shop', '--tcp=80');
      await cluster.kubectl('create', 'deployment', 'idle', `--image=${image}`, '--replicas=0');
      objects = await allObjects();
      assert.match(await cluster.timonier('down', cluster.name), /is stopped\. `timonier up life-\d+` brings it back\.\n$/);
      const { links, routes, namespaces, rules } = stateOf(cluster);
      const { links: linksBefore, routes: routesBefore, namespaces: namespacesBefore, rules: rulesBefore } = machineBefore;
      assert.deepEqual([links, routes, namespaces, rules], [linksBefore, routesBefore, namespacesBefore, rulesBefore]);
      assert.deepEqual(stateOf(cluster).processes, []);
      assert.deepEqual(
        stateOf(cluster).mounts.filter((mount) => mount.includes(cluster.dir)),
        [],
      );
      assert.deepEqual(pidsOf(seconds), []);
      const { code, stdout } = await cluster.tryTimonier('status', cluster.name);
      assert.equal(code, 1);
      assert.match(stdout, /, stopped\nProblem: +it is not running\n {2}fix: +timonier up life-\d+\n$/);
      assert.match(await cluster.timonier('down', cluster.name), /was not running\.\n$/);

      await cluster.timonier('up', cluster.name, '--timeout', '60');
      await cluster.kubectl('wait', '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod/first', '--timeout=30s');
      await waitReady(cluster, 'first');
      assert.equal(pidsOf(seconds).length, 1);
      assert.equal(await allObjects(), objects);
    });

    step('killed, leaves its containers alone; back again, takes them over and has all that it acknowledged', async () => {
      const [container, pids] = [await containerOf(cluster, 'first'), pidsOf(seconds)];
      const { pid } = cluster.state();
      const acknowledged = await createUntilKilled(cluster, 300);
      assert.ok(acknowledged.length >= 300);
      assert.deepEqual(pidsOf(seconds), pids);
      assert.match(await cluster.timonier('list'), new RegExp(`^${cluster.name} +restarting`, 'm'));
      await cluster.comesBack(pid);
      const there = new Set((await cluster.kubectl('get', 'configmaps', '-o', 'name')).trim().split('\n'));
      assert.deepEqual(
        acknowledged.filter((name) => !there.has(`configmap/${name}`)),
        [],
      );
      await cluster.apply(sleeper('after', seconds + 1_000_000));
      await waitReady(cluster, 'after');
      assert.deepEqual(pidsOf(seconds), pids);
      assert.equal(await containerOf(cluster, 'first'), container);
      assert.equal(await cluster.kubectl('exec', 'first', '--', 'echo', 'here'), 'here\n');
    });

    step('killed, is started at once by who does not want to wait', async () => {
      const [container, pids, { pid }] = [await containerOf(cluster, 'first'), pidsOf(seconds), cluster.state()];
      process.kill(pid, 'SIGKILL');
      await cluster.timonier('up', cluster.name, '--timeout', '60');
      assert.notEqual(cluster.state().pid, pid);
      assert.deepEqual(pidsOf(seconds), pids);
      assert.equal(await containerOf(cluster, 'first'), container);
    });

    step('starts its containerd again when that is killed, and the pods go on', async () => {
      const [container, pids] = [await containerOf(cluster, 'first'), pidsOf(seconds)];
      for (const pid of containerdsOf(cluster)) process.kill(pid, 'SIGKILL');
      await cluster.apply(sleeper('later', seconds + 2_000_000));
      await waitReady(cluster, 'later');
      assert.deepEqual(pidsOf(seconds), pids);
      assert.equal(await containerOf(cluster, 'first'), container);
      assert.equal(await cluster.kubectl('exec', 'first', '--', 'echo', 'here'), 'here\n');
    });

    step('does not notice another one that comes and goes', async () => {
      const [container, pids, machine] = [await containerOf(cluster, 'first'), pidsOf(seconds), stateOf(second)];
      await startWithPod(second, seconds + 3_000_000, '--port', '0');
      const addressOf = (each: OwnCluster): Promise<string> => each.kubectl('get', 'pod', 'first', '-o', 'jsonpath={.status.podIP}');
      const [ours, theirs] = [await addressOf(cluster), await addressOf(second)];
      assert.notEqual(ours.split('.')[1], theirs.split('.')[1], `${ours} and ${theirs}`);
      assert.match(await cluster.timonier('list'), new RegExp(`${cluster.name} +running.*\\n${second.name} +running`));
      await second.timonier('delete', second.name);
      assert.deepEqual(stateOf(second), machine);
      assert.deepEqual(pidsOf(seconds), pids);
      assert.equal(await containerOf(cluster, 'first'), container);
      assert.equal(await cluster.kubectl('exec', 'first', '--', 'echo', 'here'), 'here\n');
    });

    step('is deleted without a trace', async () => {
      assert.equal(await cluster.timonier('delete', cluster.name), `Cluster "${cluster.name}" is deleted.\n`);
      assert.deepEqual(stateOf(cluster), machineBefore);
      assert.deepEqual(readdirSync('/var/lib/lifecycle'), ['user.kubeconfig']);
      assert.equal(
        await cluster.kubectl('config', 'get-contexts', '-o', 'name', '--kubeconfig', cluster.env['KUBECONFIG'] ?? '').catch(String),
        'other\n',
      );
    });
  });
}

interface FailingStart {
  readonly name: string;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** what goes on meanwhile */
  readonly meanwhile?: () => Promise<AsyncDisposable>;
  readonly message: RegExp;
  readonly fix: RegExp;
}

const place = '/var/lib/failing';
const file = (name: string): string => join(place, name);

/** A containerd that tells its version and does no more. */
function brokenContainerd(name: string, script: string): Readonly<Record<string, string>> {
  const dir = file(name);
  const real = execFileSync('sh', ['-c', 'command -v containerd'], { encoding: 'utf8' }).trim();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'containerd'), `#!/bin/sh\n[ "$1" = --version ] && exec ${real} --version\n${script}\n`, { mode: 0o755 });
  return { PATH: `${dir}:${process.env['PATH'] ?? ''}` };
}

async function takePort(): Promise<AsyncDisposable> {
  const server = createServer().listen(6443, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function failingStarts(): readonly FailingStart[] {
  mkdirSync(place);
  for (const [name, options] of [
    ['readonly', 'ro'],
    ['small', 'size=200k'],
  ] as const) {
    mkdirSync(file(name));
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', file(name)]);
  }
  writeFileSync(file('typo.yaml'), 'simulated: 3\nnods: 1\n');
  writeFileSync(file('host.yaml'), 'host: 192.0.2.77\nport: 0\n');
  writeFileSync(file('broken.yaml'), 'simulated: [');
  return [
    {
      name: 'the port is taken',
      flags: ['--port', '6443'],
      meanwhile: takePort,
      message: /^timonier: port 6443 is taken by process \d+, node$/m,
      fix: /--port 0/,
    },
    {
      name: 'it is to listen at an address of another machine',
      flags: ['--config', file('host.yaml')],
      message: /^timonier: 192\.0\.2\.77 is no address of this machine$/m,
      fix: /--host ADDRESS/,
    },
    {
      name: 'the data directory can’t be written to',
      flags: ['--data-dir', file('readonly/x')],
      message: /^timonier: can't keep the cluster in \/var\/lib\/failing\/readonly\/x: EROFS: read-only file system/,
      fix: /--data-dir DIR/,
    },
    {
      name: 'its disk is full',
      flags: ['--data-dir', file('small/x')],
      message: /^timonier: the disk of \/var\/lib\/failing\/small\/x is full: (store|certificates|bootstrap) failed: /m,
      fix: /free space in \/var\/lib\/failing\/small\/x, or give the cluster up: timonier delete fails-\d+/,
    },
    {
      name: 'a setting is misspelt',
      flags: ['--config', file('typo.yaml')],
      message: /^timonier: \/var\/lib\/failing\/typo\.yaml: unknown setting "nods"$/m,
      fix: /the settings are: nodes, simulated/,
    },
    {
      name: 'the configuration is no YAML',
      flags: ['--config', file('broken.yaml')],
      message: /^timonier: can't read \/var\/lib\/failing\/broken\.yaml: /,
      fix: /YAML/,
    },
    {
      name: 'containerd ends at once',
      flags: ['--nodes', '1'],
      env: brokenContainerd('ends', 'echo "no such snapshotter" >&2; exit 3'),
      message: /^timonier: nodes failed: containerd does not start: no such snapshotter \(its log is .*\/containerd\.log\)/m,
      fix: /see .*\/timonier\.log/,
    },
    {
      name: 'containerd never answers',
      flags: ['--nodes', '1', '--timeout', '4'],
      env: brokenContainerd('hangs', 'exec sleep 1000'),
      message: /^timonier: not ready after 4 s: the phase "nodes" was under way$/m,
      fix: /give it longer \(--timeout/,
    },
    {
      name: 'there is not time enough',
      flags: ['--timeout', '0.05'],
      message: /^timonier: not ready after 0\.05 s: the phase "[a-z-]+" was under way$/m,
      fix: /give it longer \(--timeout/,
    },
  ];
}

function failures(): void {
  describe('a start fails and leaves nothing running when', () => {
    for (const { name, flags, env = {}, meanwhile, message, fix } of failingStarts()) {
      it(name, async () => {
        const cluster = await OwnCluster.named(`fails-${process.pid}`, { root: file('clusters'), env });
        await using _meanwhile = await meanwhile?.();
        const machineBefore = stateOf(cluster);
        try {
          const { code, stderr } = await cluster.tryTimonier('up', cluster.name, ...flags);
          assert.equal(code, 1);
          assert.match(stderr, message);
          assert.match(stderr, /^ {2}fix: /m);
          assert.match(stderr.slice(stderr.indexOf('  fix: ')), fix);
          assert.deepEqual(stateOf(cluster), machineBefore);
        } finally {
          await cluster.tryTimonier('delete', cluster.name);
        }
        assert.deepEqual(stateOf(cluster), machineBefore);
        assert.equal(existsSync(cluster.root), false);
      });
    }
  });
}

/** Whatever is written until there is no more room. */
function fill(name: string): void {
  writeFileSync(name, '');
  for (let bytes = 2 ** 20; bytes >= 1; bytes /= 2) {
    try {
      for (;;) appendFileSync(name, Buffer.alloc(bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
}

function fullDisk(): void {
  describe('on a full disk, a cluster', () => {
    const step = inSteps();
    const disk = '/var/lib/full';
    let cluster: OwnCluster;
    before(async () => {
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=250m', 'tmpfs', disk]);
      cluster = await OwnCluster.named(`full-${process.pid}`, {
        root: join(disk, 'clusters'),
        env: { KUBECONFIG: join(disk, 'kubeconfig') },
      });
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--port', '0');
    });
    after(async () => void (await cluster.tryTimonier('delete', cluster.name)));

    step('is started again when its process dies, and its status is no old news', async () => {
      fill(join(disk, 'filler'));
      const { pid } = cluster.state();
      process.kill(pid, 'SIGKILL');
      await cluster.comesBack(pid);
      const { code, stdout } = await cluster.tryTimonier('status', cluster.name);
      assert.equal(code, 1);
      assert.match(stdout, /, disk full$/m);
      assert.match(stdout, /^Supervisor: +process \d+, 1 restart \(SIGKILL, \d+s ago\)$/m);
      assert.match(stdout, /^API server: .*, not ready: etcd-readiness$/m);
      assert.match(stdout, /^Problem: +the disk of \/var\/lib\/full\/clusters\/full-\d+ is full$/m);
      assert.match(await cluster.timonier('list'), /^full-\d+ +disk full/m);
    });

    step('is stopped and started', async () => {
      await cluster.timonier('down', cluster.name);
      fill(join(disk, 'filler-2'));
      assert.match(await cluster.timonier('up', cluster.name, '--port', '0'), /^Ready in /m);
      assert.match((await cluster.tryTimonier('status', cluster.name)).stdout, /1 of 1 Ready/);
      assert.equal(await cluster.kubectl('get', '--raw', '/livez'), 'ok');
    });

    step('is deleted', async () => {
      await cluster.timonier('delete', cluster.name);
      assert.deepEqual(stateOf(cluster).processes, []);
      assert.deepEqual(readdirSync(disk).sort(), ['filler', 'filler-2']); // the kubeconfig was made for it
    });
  });
}

function ownKubeconfig(): void {
  it('a kubeconfig of one’s choice is all that is written', async () => {
    const cluster = await OwnCluster.named('chosen', {
      root: '/var/lib/chosen/clusters',
      env: { KUBECONFIG: '/var/lib/chosen/user.kubeconfig' },
    });
    const chosen = '/var/lib/chosen/kube/config';
    try {
      const text = await cluster.timonier('up', 'chosen', '--nodes', '0', '--port', '0', '--kubeconfig', chosen);
      assert.match(text, /kubectl --kubeconfig \/var\/lib\/chosen\/kube\/config get nodes\n$/);
      assert.equal(statSync(chosen).mode & 0o777, 0o600);
      assert.match(await cluster.kubectl('--kubeconfig', chosen, 'get', 'nodes'), /chosen-simulated-1 +Ready/);
      assert.equal(existsSync('/var/lib/chosen/user.kubeconfig'), false);
    } finally {
      await cluster.tryTimonier('delete', 'chosen');
    }
    assert.deepEqual(readdirSync('/var/lib/chosen'), ['kube']);
    rmSync('/var/lib/chosen', { recursive: true });
  });
}

function simulatedBesideReal(): void {
  it('the first real node has the role control-plane, and a simulated one beside it takes no pods', async () => {
    const cluster = await OwnCluster.named('mixed', { root: '/var/lib/mixed/clusters' });
    const taints = 'jsonpath={range .items[*]}{.metadata.name} {.spec.taints[*].key}{"\\n"}{end}';
    try {
      await cluster.timonier('up', 'mixed', '--nodes', '1', '--simulated', '1', '--port', '0', '--timeout', '60');
      assert.match(await cluster.kubectl('get', 'nodes'), /^mixed-1 +Ready +control-plane .*\n^mixed-simulated-1 +Ready +<none>/m);
      assert.match(await cluster.kubectl('get', 'nodes', '-o', taints), /^mixed-1 \nmixed-simulated-1 timonier.dev\/simulated\n$/);
      writeFileSync(archive, busyboxImage(image));
      await cluster.timonier('image', 'load', '--cluster-name', 'mixed', archive);
      for (const name of ['one', 'two', 'three']) await cluster.apply(sleeper(name, 3_000_000 + process.pid));
      for (const name of ['one', 'two', 'three']) await waitReady(cluster, name);
      assert.equal(await cluster.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}'), 'mixed-1 mixed-1 mixed-1');
    } finally {
      await cluster.tryTimonier('delete', 'mixed');
    }
  });
}

if (inOwnNamespaces(import.meta.url)) {
  aLife();
  simulatedBesideReal();
  ownKubeconfig();
  fullDisk();
  failures();
}
