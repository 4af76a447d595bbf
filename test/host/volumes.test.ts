/**
 * Volumes of the default class on real containers, by the command line and an unmodified kubectl: data that outlives its
 * pod and its cluster's halts, goes when its claim goes, and is never anybody else's. In namespaces of its own.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import type { Summary } from '../../src/node/kubelet/server/stats.ts';
import { busyboxImage } from './busybox-image.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'keeper:1';
const archive = '/var/lib/keeper.tar';
const [user, group] = [1000, 2000];
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const sleep = 'while :; do sleep 3600 & wait; done';

const podSpec = (script: string, volume: object, mounts: readonly object[] = [{ name: 'data', mountPath: '/data' }]): object => ({
  terminationGracePeriodSeconds: 1,
  volumes: [{ name: 'data', ...volume }],
  containers: [{ name: 'main', image, command: ['sh', '-c', `trap exit TERM; ${script}; ${sleep}`], volumeMounts: mounts }],
});
const claim = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: claimSpec,
});
const pod = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec });
const useClaim = (claimName: string): object => ({ persistentVolumeClaim: { claimName } });

/** Each start adds a line to what is there; it runs as somebody who is not root. */
const database = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    replicas: 2,
    serviceName: 'db',
    podManagementPolicy: 'Parallel',
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: {
        ...podSpec('echo started >>/data/log; echo $HOSTNAME >/part/owner', {}, [
          { name: 'data', mountPath: '/data' },
          { name: 'data', mountPath: '/part', subPath: 'some/part' },
        ]),
        volumes: [],
        securityContext: { runAsUser: user, runAsGroup: user, fsGroup: group },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'db' } },
          },
        ],
      },
    },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
  },
};

if (inOwnNamespaces(import.meta.url)) {
  describe('volumes of the default class', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    const get = (what: string, path: string): Promise<string> => cluster.kubectl('get', ...what.split(' '), '-o', `jsonpath=${path}`);
    const wait = (what: string, condition: string, seconds = 60): Promise<string> =>
      cluster.kubectl('wait', `--for=${condition}`, ...what.split(' '), `--timeout=${seconds}s`);
    const apply = async (object: object): Promise<void> => {
      const { code, stderr } = await cluster.apply(object);
      assert.deepEqual([code, stderr], [0, '']); // no warning either
    };
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      // each look waits for the answer of kubectl: the state of events has no condition to wait for
      for (let look = 0; look < 200; look++) if (await isSo()) return;
      assert.fail('it never was so');
    };
    const eventsOf = (name: string): Promise<string> =>
      cluster.kubectl(
        'get',
        'events',
        '--field-selector',
        `involvedObject.name=${name}`,
        '-o',
        'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
      );
    const volumesOn = (node: number): string => join(cluster.dir, 'nodes', String(node), 'volumes');
    const volumeOf = (claimName: string): Promise<string> => get(`pvc ${claimName}`, '{.spec.volumeName}');
    const directoryOf = async (claimName: string): Promise<string> => get(`pv ${await volumeOf(claimName)}`, '{.spec.local.path}');
    const exec = (name: string, script: string): Promise<string> => cluster.kubectl('exec', name, '--', 'sh', '-c', script);
    const nodeOf = (name: string): Promise<string> => get(`pod ${name}`, '{.spec.nodeName}');
    const bothReady = async (): Promise<void> => void (await cluster.kubectl('rollout', 'status', 'statefulset/db', '--timeout=90s'));

    before(async () => {
      writeFileSync(archive, busyboxImage(image));
      cluster = await OwnCluster.named(`vol-${process.pid}`);
      await cluster.timonier('up', cluster.name, '--nodes', '2', '--port', '0', '--timeout', '100');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
    });
    after(async () => {
      await cluster.tryTimonier('delete', cluster.name);
      assert.equal(existsSync(cluster.dir), false);
    });

    step('wait for a first consumer, and say so', async () => {
      await apply(claim('plain'));
      await until(async () => /^WaitForFirstConsumer: waiting for first consumer/m.test(await eventsOf('plain')));
      assert.equal(await get('pvc plain', '{.status.phase} {.spec.storageClassName}'), 'Pending standard');
    });

    step('are made where the pods of a StatefulSet go, for their group', async () => {
      await apply(database);
      await bothReady();
      const nodes = await Promise.all(['db-0', 'db-1'].map(nodeOf));
      assert.deepEqual(nodes.toSorted(), [`${cluster.name}-1`, `${cluster.name}-2`]);
      for (const name of ['db-0', 'db-1']) {
        assert.equal(await get(`pvc data-${name}`, '{.status.phase} {.status.capacity.storage}'), 'Bound 1Gi');
        assert.equal(await exec(name, 'cat /data/log /data/some/part/owner'), `started\n${name}\n`);
        const directory = await directoryOf(`data-${name}`);
        assert.equal(directory, join(volumesOn(Number((await nodeOf(name)).slice(-1))), await volumeOf(`data-${name}`)));
        const { gid, uid } = statSync(join(directory, 'log'));
        assert.deepEqual([uid, gid], [user, group]);
        assert.equal(statSync(directory).mode & 0o2070, 0o2070);
      }
      assert.equal(statSync(volumesOn(1)).mode & 0o777, 0o700);
    });

    step('are there again for the next pod, which follows them', async () => {
      const before = await nodeOf('db-0');
      await cluster.kubectl('cordon', before);
      await cluster.kubectl('delete', 'pod', 'db-0');
      await wait('pod/db-0', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}=Unschedulable');
      assert.match(await eventsOf('db-0'), /1 node\(s\) didn't match PersistentVolume's node affinity/);
      await cluster.kubectl('uncordon', before);
      await bothReady();
      assert.equal(await nodeOf('db-0'), before);
      assert.equal(await exec('db-0', 'cat /data/log'), 'started\nstarted\n');
    });

    step('grow', async () => {
      await cluster.kubectl('patch', 'pvc', 'data-db-0', '-p', '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}');
      await wait('pvc/data-db-0', 'jsonpath={.status.capacity.storage}=2Gi');
      assert.equal(await get(`pv ${await volumeOf('data-db-0')}`, '{.spec.capacity.storage}'), '2Gi');
    });

    step('say what they hold', async () => {
      await exec('db-0', 'busybox dd if=/dev/zero of=/data/zeros bs=1M count=3 2>/dev/null');
      const at = `/api/v1/nodes/${await nodeOf('db-0')}/proxy`;
      const metrics = await cluster.kubectl('get', '--raw', `${at}/metrics`);
      const used = /^kubelet_volume_stats_used_bytes\{namespace="default",persistentvolumeclaim="data-db-0"\} (\d+)$/m.exec(metrics)?.[1];
      assert.ok(Number(used) >= 3 * 2 ** 20 && Number(used) < 4 * 2 ** 20, metrics);
      const { pods } = JSON.parse(await cluster.kubectl('get', '--raw', `${at}/stats/summary`)) as Summary;
      const volumes = pods.find(({ podRef }) => podRef.name === 'db-0')?.volume ?? [];
      assert.deepEqual(volumes.map(({ name, pvcRef }) => [name, pvcRef?.name]).toSorted(), [
        ['data', 'data-db-0'],
        [volumes.find(({ name }) => name !== 'data')?.name, undefined], // of its service account
      ]);
    });

    step('outlive `down`, `up` and a kill', async () => {
      await cluster.timonier('down', cluster.name);
      await cluster.timonier('up', cluster.name, '--timeout', '100');
      await bothReady();
      assert.equal(await exec('db-0', 'cat /data/log'), 'started\n'.repeat(3));
      process.kill(cluster.state().pid, 'SIGKILL');
      await cluster.timonier('up', cluster.name, '--timeout', '100');
      await bothReady();
      assert.match(await exec('db-1', 'cat /data/log'), /^(started\n){2,}$/);
    });

    step('one claim of several pods brings them together', async () => {
      const script = 'echo $HOSTNAME >/data/$HOSTNAME';
      for (const name of ['left', 'right']) await apply(pod(name, podSpec(script, useClaim('plain'))));
      await wait('pod/left pod/right', 'condition=Ready');
      assert.equal(await nodeOf('left'), await nodeOf('right'));
      assert.equal(await exec('left', 'cat /data/right'), 'right\n');
      await cluster.kubectl('delete', 'pod', 'left', 'right');
    });

    step('go with their claim, whatever a pod has left there, and nothing else goes', async () => {
      const victim = '/var/lib/victim';
      mkdirSync(victim);
      writeFileSync(join(victim, 'file'), 'x');
      const hostile = `cd /data; ln -s ${victim} out; ln -s / root; mkdir -p a; i=0; while [ $i -lt 300 ]; do busybox mkdir -p d; cd d; i=$((i+1)); done; busybox mkfifo /data/pipe; busybox chmod 0 /data`;
      await apply(pod('hostile', podSpec(hostile, useClaim('plain'))));
      await wait('pod/hostile', 'condition=Ready');
      const [directory, volume] = [await directoryOf('plain'), await volumeOf('plain')];
      assert.ok(existsSync(directory));
      await cluster.kubectl('delete', 'pvc', 'plain', '--wait=false');
      assert.equal(await get('pvc plain', '{.status.phase}'), 'Bound'); // a pod has it
      await cluster.kubectl('delete', 'pod', 'hostile');
      await wait(`pv/${volume}`, 'delete');
      assert.equal(existsSync(directory), false);
      assert.equal(readFileSync(join(victim, 'file'), 'utf8'), 'x');
    });

    step('stay when their policy says so', async () => {
      const [directory, volume] = [await directoryOf('data-db-1'), await volumeOf('data-db-1')];
      await cluster.kubectl('patch', 'pv', volume, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}');
      await cluster.kubectl('delete', 'statefulset', 'db');
      await cluster.kubectl('wait', '--for=delete', 'pod', '-l', 'app=db', '--timeout=60s');
      const gone = await volumeOf('data-db-0');
      await cluster.kubectl('delete', 'pvc', 'data-db-0', 'data-db-1');
      await wait(`pv/${gone}`, 'delete');
      await wait(`pv/${volume}`, 'jsonpath={.status.phase}=Released');
      await cluster.kubectl('delete', 'pv', volume);
      assert.match(readFileSync(join(directory, 'log'), 'utf8'), /^started/);
      rmSync(directory, { recursive: true });
    });

    step('for one pod at a time wait until the first has gone, also on its node', async () => {
      await apply({ ...claim('alone'), spec: { ...claimSpec, accessModes: ['ReadWriteOncePod'] } });
      await apply(pod('has', podSpec('true', useClaim('alone'))));
      await wait('pod/has', 'condition=Ready');
      await apply(pod('asks', podSpec('true', useClaim('alone'))));
      await wait('pod/asks', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}=Unschedulable');
      await apply(pod('forced', { ...podSpec('true', useClaim('alone')), nodeName: await nodeOf('has') }));
      await until(async () =>
        /^FailedMount: .*ReadWriteOncePod access mode and is already in use by another pod$/m.test(await eventsOf('forced')),
      );
      await cluster.kubectl('delete', 'pod', 'has', 'asks');
      await wait('pod/forced', 'condition=Ready');
      await cluster.kubectl('delete', 'pod', 'forced');
      await cluster.kubectl('delete', 'pvc', 'alone');
    });

    step('of a pod alone go with it', async () => {
      await apply(pod('short', podSpec('echo x >/data/x', { ephemeral: { volumeClaimTemplate: { spec: claimSpec } } })));
      await wait('pod/short', 'condition=Ready');
      const [directory, volume] = [await directoryOf('short-data'), await volumeOf('short-data')];
      assert.equal(readFileSync(join(directory, 'x'), 'utf8'), 'x\n');
      await cluster.kubectl('delete', 'pod', 'short');
      await wait(`pv/${volume}`, 'delete');
      assert.equal(existsSync(directory), false);
    });

    step('whose directory somebody took away keep their pod from its start, and say why', async () => {
      await apply(claim('lost'));
      await apply(pod('first', podSpec('echo x >/data/x', useClaim('lost'))));
      await wait('pod/first', 'condition=Ready');
      await cluster.kubectl('delete', 'pod', 'first');
      const directory = await directoryOf('lost');
      rmSync(directory, { recursive: true });
      await apply(pod('second', podSpec('true', useClaim('lost'))));
      await until(async () => /^FailedMount: MountVolume.SetUp failed for volume "data" : /m.test(await eventsOf('second')));
      mkdirSync(directory);
      await wait('pod/second', 'condition=Ready');
      await cluster.kubectl('delete', 'pod', 'second');
      await cluster.kubectl('delete', 'pvc', 'lost');
      await until(async () => !existsSync(directory));
    });

    step('that find no room on the disk are made when there is some', async () => {
      for (const node of [1, 2]) execFileSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', volumesOn(node)]);
      await apply(claim('late'));
      await apply(pod('late', podSpec('true', useClaim('late'))));
      await until(async () => /^ProvisioningFailed: failed to provision volume .*ENOSPC/m.test(await eventsOf('late')));
      for (const node of [1, 2]) execFileSync('umount', [volumesOn(node)]);
      await wait('pod/late', 'condition=Ready', 100);
      await cluster.kubectl('delete', 'pod', 'late');
      await cluster.kubectl('delete', 'pvc', 'late');
      await until(async () => readdirSync(volumesOn(1)).length + readdirSync(volumesOn(2)).length === 0);
    });
  });
}
