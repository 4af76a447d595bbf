/**
 * Pods whose containers put traps into the files that the node reads, walks and removes: pipes, huge files, trees that
 * no path reaches, links that change while they are looked at. The cluster goes on writing, over a kill and a restart,
 * the pods can be deleted, and nothing outside their volumes is touched.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { busyboxImage } from './busybox-image.ts';
import { machineState } from './machine-state.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'hostile:1';
const place = '/var/lib/hostile';
const archive = join(place, 'hostile.tar');
const stray = `timonier-hostile-${process.pid}`;
const writeMsMax = 5000;
const logLineCharsMax = 10_000;

interface Containers {
  readonly prepare: string;
  readonly main: object;
  readonly spec?: object;
}
const shell = (script: string): readonly string[] => ['sh', '-c', script];
const mounts = [{ name: 'v', mountPath: '/v' }];

const pod = (name: string, { prepare, main, spec = {} }: Containers): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    // the pod goes from the API when its files are gone
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
    initContainers: [{ name: 'prepare', image, command: shell(prepare), volumeMounts: mounts }],
    containers: [{ name: 'main', image, command: shell('sleep 1000000'), volumeMounts: mounts, ...main }],
    ...spec,
  },
});

const fromFile = { env: [{ name: 'X', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'env', key: 'KEY' } } }] };
const pipes = Array.from({ length: 6 }, (_, i) => `pipe-${i}`);
/** Grows from its leaf, so that every path stays short until the end. */
const deep = (levels: number, length: number): string =>
  `n=$(busybox printf '%0${length}d' 0); cd /v; busybox mkdir $n; i=1
   while [ $i -lt ${levels} ]; do busybox mkdir t && busybox mv $n t/$n && busybox mv t $n || exit 1; i=$((i+1)); done`;

const hostile: readonly object[] = [
  ...pipes.map((name) => pod(name, { prepare: 'busybox mkfifo /v/env', main: fromFile })),
  pod('huge', { prepare: 'busybox dd if=/dev/zero of=/v/env bs=1M count=1 seek=400', main: fromFile }),
  pod('words', {
    prepare: 'busybox mkfifo /v/words',
    main: {
      command: ['true'],
      terminationMessagePath: '/words',
      volumeMounts: [{ name: 'v', mountPath: '/words', subPath: 'words' }],
    },
    spec: { restartPolicy: 'Never' },
  }),
  pod('deep', { prepare: deep(60, 200), main: {}, spec: { securityContext: { fsGroup: 2000 } } }),
  pod('deeper', { prepare: deep(400, 1), main: {} }),
  pod('racer', {
    prepare: 'true',
    main: {},
    spec: {
      containers: [
        {
          name: 'main',
          image,
          command: shell('cd /v; while true; do busybox mkdir a; busybox rm -rf a; busybox ln -s /etc a; busybox rm a; done'),
          volumeMounts: mounts,
        },
        ...[0, 1, 2, 3].map((i) => ({
          name: `victim-${i}`,
          image,
          command: ['false'],
          volumeMounts: [{ name: 'v', mountPath: '/part', subPath: `a/${stray}` }],
        })),
      ],
    },
  }),
];

if (inOwnNamespaces(import.meta.url)) {
  describe('a cluster with hostile pods', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    let before_: ReturnType<typeof machineState>;
    const stateOf = () => machineState([cluster.dir, `timonier-${cluster.name}`]);

    before(async () => {
      mkdirSync(place);
      writeFileSync(archive, busyboxImage(image));
      cluster = await OwnCluster.named(`hostile-${process.pid}`, {
        root: join(place, 'clusters'),
        env: { KUBECONFIG: join(place, 'user.kubeconfig') },
      });
      before_ = stateOf();
    });
    after(() => cluster.tryTimonier('delete', cluster.name));

    let written = 0;
    const writes = async (): Promise<void> => {
      const beginMs = performance.now();
      await cluster.kubectl('create', 'configmap', `written-${written++}`);
      const tookMs = performance.now() - beginMs;
      assert.ok(tookMs < writeMsMax, `${Math.round(tookMs)} ms for a write`);
    };
    const until = (name: string, path: string, value: string): Promise<string> =>
      cluster.kubectl('wait', `--for=jsonpath=${path}=${value}`, `pod/${name}`, '--timeout=120s');
    const refused = '{.status.containerStatuses[0].state.waiting.reason}';

    step('goes on writing while they run', async () => {
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--timeout', '60');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
      for (const each of hostile) assert.equal((await cluster.apply(each)).code, 0);
      await Promise.all([...pipes, 'huge'].map((name) => until(name, refused, 'CreateContainerConfigError')));
      for (const name of ['deep', 'deeper']) await until(name, '{.status.phase}', 'Running');
      await until('words', '{.status.phase}', 'Succeeded');
      await writes();
    });

    step('tells what was in the way', async () => {
      const message = (name: string, path: string): Promise<string> => cluster.kubectl('get', 'pod', name, '-o', `jsonpath=${path}`);
      assert.equal(await message('pipe-0', '{.status.containerStatuses[0].state.waiting.message}'), "couldn't parse env file");
      assert.match(await message('words', '{.status.containerStatuses[0].state.terminated.message}'), /a named pipe, no regular file$/);
    });

    step('takes them over after a kill, and writes', async () => {
      process.kill(cluster.state().pid, 'SIGKILL');
      await cluster.timonier('up', cluster.name, '--timeout', '60');
      await Promise.all(pipes.map((name) => until(name, refused, 'CreateContainerConfigError')));
      await writes();
    });

    step('deletes them, with everything that they made', async () => {
      await cluster.kubectl('delete', 'pods', '--all', '--timeout=120s');
      await writes();
      assert.deepEqual(readdirSync(join(cluster.dir, 'nodes/1/kubelet/pods')), []);
      assert.equal(existsSync(join('/etc', stray)), false);
    });

    step('has written no long line about it, and no directory that others may write to', () => {
      const lines = readFileSync(join(cluster.dir, 'timonier.log'), 'utf8').split('\n');
      assert.ok(Math.max(...lines.map((line) => line.length)) < logLineCharsMax);
      const logs = join(cluster.dir, 'nodes/1/kubelet/logs');
      for (const dir of [logs, join(logs, '..', 'pods'), ...readdirSync(logs).map((name) => join(logs, name))]) {
        assert.equal(statSync(dir).mode & 0o022, 0, dir);
      }
      return Promise.resolve();
    });

    step('stops, and is deleted without a trace', async () => {
      await cluster.apply(hostile[8] ?? {});
      await until('deep', '{.status.phase}', 'Running');
      await cluster.timonier('delete', cluster.name);
      assert.deepEqual(stateOf(), before_);
      assert.equal(existsSync(cluster.dir), false);
    });
  });
}
