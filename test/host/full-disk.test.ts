/**
 * A container that fills the disk which the whole cluster lives on, as fast as it can and for ever: it is evicted, the
 * cluster goes on writing, the pod can be deleted, and its place is given back.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { busyboxImage } from './busybox-image.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'filler:1';
const archive = '/var/lib/filler.tar';
const root = '/var/lib/small';
const diskMiB = 260;

const pod = (name: string, script: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ name: 'main', image, command: ['sh', '-c', script], volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  },
});

const fillers: readonly (readonly [name: string, script: string])[] = [
  ['slowly', 'while true; do busybox dd if=/dev/zero of=/v/x bs=4k count=64 oflag=append conv=notrunc 2>/dev/null; done'],
  ['at-once', 'while true; do busybox dd if=/dev/zero of=/v/x bs=1M oflag=append conv=notrunc 2>/dev/null; done'],
  ['hosts', 'while true; do busybox dd if=/dev/zero of=/etc/hosts bs=1M oflag=append conv=notrunc 2>/dev/null; done'],
  ['layer', 'while true; do busybox dd if=/dev/zero of=/x bs=1M oflag=append conv=notrunc 2>/dev/null; done'],
];

if (inOwnNamespaces(import.meta.url)) {
  describe('a cluster on a small disk', () => {
    const step = inSteps();
    let cluster: OwnCluster;

    before(async () => {
      mkdirSync(root);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs', root]);
      writeFileSync(archive, busyboxImage(image));
      cluster = await OwnCluster.named(`full-${process.pid}`, { root, env: { KUBECONFIG: '/var/lib/full.kubeconfig' } });
      await cluster.timonier('up', cluster.name, '--nodes', '1', '--timeout', '60');
      await cluster.timonier('image', 'load', '--cluster-name', cluster.name, archive);
      await cluster.apply(pod('bystander', 'sleep 1000000'));
      await cluster.kubectl('wait', '--for=condition=Ready', 'pod/bystander', '--timeout=60s');
    });
    after(() => cluster.tryTimonier('delete', cluster.name));

    let written = 0;
    for (const [name, script] of fillers) {
      step(`${name}: the filler is evicted, and what it wrote is given back`, async () => {
        // Past the condition's five minutes nothing would be learned: the taint it leaves is tolerated.
        const filler = pod(name, script) as { spec: object };
        const tolerations = [{ operator: 'Exists' }];
        assert.equal((await cluster.apply({ ...filler, spec: { ...filler.spec, tolerations } })).code, 0);
        await cluster.kubectl('wait', '--for=jsonpath={.status.reason}=Evicted', `pod/${name}`, '--timeout=60s');
        const message = await cluster.kubectl('get', 'pod', name, '-o', 'jsonpath={.status.message}');
        assert.match(message, /^The node was low on resource: ephemeral-storage\. Threshold quantity: 32Mi, available: \d+Ki\. /);
        await cluster.kubectl('wait', '--for=condition=DiskPressure', 'node', '--all', '--timeout=10s');
        await cluster.kubectl('create', 'configmap', `written-${written++}`);
        await cluster.kubectl('delete', 'pod', name, '--timeout=60s');
      });
    }

    step('nobody else had to go', async () => {
      assert.equal(await cluster.kubectl('get', 'pod', 'bystander', '-o', 'jsonpath={.status.phase}'), 'Running');
      assert.equal(readdirSync(join(cluster.dir, 'nodes/1/kubelet/pods')).length, 1);
    });

    step('starts again after a kill', async () => {
      process.kill(cluster.state().pid, 'SIGKILL');
      await cluster.timonier('up', cluster.name, '--timeout', '60');
      await cluster.kubectl('create', 'configmap', `written-${written++}`);
    });
  });
}
