/** What real containers and nodes use, as `kubectl top` shows it and an autoscaler goes by it. Runs in namespaces of its own. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { busyboxImage } from './busybox-image.ts';
import { inSteps, OwnCluster } from './own-cluster.ts';
import { inOwnNamespaces } from './own-namespaces.ts';

const image = 'idle:1';
/** A limit keeps the machine for others: what is asked for is a third of it. */
const busy = { requests: { cpu: '100m' }, limits: { cpu: '300m' } };
const shop = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop' },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        initContainers: [{ name: 'before', image, command: ['true'] }], // it has ended, and counts for nothing
        containers: [
          { name: 'busy', image, command: ['sh', '-c', 'while :; do :; done'], resources: busy },
          { name: 'idle', image, command: ['sleep', '1000000'], resources: { requests: { cpu: '1m' } } },
        ],
      },
    },
  },
};

if (inOwnNamespaces(import.meta.url)) {
  describe('metrics of real containers', () => {
    const step = inSteps();
    let cluster: OwnCluster;
    const table = async (...args: readonly string[]): Promise<string[][]> =>
      (await cluster.kubectl(...args, '--no-headers'))
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/ +/));
    const milli = (text = ''): number => (text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000);

    before(async () => {
      cluster = await OwnCluster.named(`metrics-${process.pid}`);
      await cluster.timonier('up', cluster.name, '--nodes', '2', '--timeout', '60');
      const [archive, manifest] = ['idle.tar', 'shop.json'].map((name) => join(cluster.dir, name));
      writeFileSync(archive ?? '', busyboxImage(image));
      writeFileSync(manifest ?? '', JSON.stringify(shop));
      await cluster.timonier('image', 'load', archive ?? '', '--cluster-name', cluster.name);
      await cluster.kubectl('apply', '-f', manifest ?? '');
      await cluster.kubectl('rollout', 'status', 'deployment/shop', '--timeout=60s');
    });
    after(() => cluster.tryTimonier('delete', cluster.name));

    step('tell a busy loop from a container at rest', async () => {
      const used = new Map(
        (await table('top', 'pods', '--containers')).map(([, name = '', cpu, memory = '']) => [name, { cpu: milli(cpu), memory }]),
      );
      assert.ok((used.get('busy')?.cpu ?? 0) >= 100 && (used.get('busy')?.cpu ?? 0) <= 400, JSON.stringify([...used]));
      assert.ok((used.get('idle')?.cpu ?? 100) <= 20, JSON.stringify([...used]));
      for (const { memory } of used.values()) assert.match(memory, /^\d+Mi$/);
    });

    step('show both nodes', async () => {
      const nodes = await table('top', 'nodes', '--sort-by=cpu');
      assert.deepEqual(nodes.map(([name]) => name).sort(), [`${cluster.name}-1`, `${cluster.name}-2`]);
      for (const [, cpu, , memory = ''] of nodes) assert.ok(milli(cpu) >= 100 && /^\d+Mi$/.test(memory), JSON.stringify(nodes));
    });

    step('make an autoscaler scale what is busy', async () => {
      await cluster.kubectl('autoscale', 'deployment', 'shop', '--cpu=50%', '--max=3');
      await cluster.kubectl('wait', '--for=jsonpath={.status.desiredReplicas}=3', 'hpa/shop', '--timeout=90s');
      await cluster.kubectl('rollout', 'status', 'deployment/shop', '--timeout=60s');
      const [[, , , target = '']] = (await table('get', 'hpa', 'shop')) as [string[]];
      assert.match(target, /^\d+%\/50%$/);
    });
  });
}
