/** The role of the control plane's node, and the taint of simulated nodes beside real ones, on a whole cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Toleration } from '../../src/api/generated/core-v1.ts';
import { DaemonSet, Node, Pod } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { markNodes, marksOf } from '../../src/cluster/nodes/node-marks.ts';
import { startCluster, VirtualClock } from '../../src/index.ts';

const role = 'node-role.kubernetes.io/control-plane';
const tolerations: readonly Toleration[] = [{ key: 'timonier.dev/simulated', operator: 'Exists' }];
const containers = [{ name: 'c', image: 'i' }];

test('simulated nodes take pods, until there are real ones', async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ simulated: 2, clock });
  const { client } = cluster;
  const pod = (name: string, more = {}) => client.create(Pod, { metadata: { name, namespace: 'default' }, spec: { containers, ...more } });
  const get = (name: string) => client.get(Pod, { name, namespace: 'default' });
  const withRole = async () =>
    (await client.list(Node)).items.filter(({ metadata }) => metadata.labels?.[role] === '').map((n) => n.metadata.name);

  assert.deepEqual(await withRole(), ['default-simulated-1']);
  await cluster.killNode('default-simulated-1');
  await client.delete(Node, { name: 'default-simulated-1' });
  await cluster.startNode('default-simulated-1');
  assert.deepEqual(await withRole(), ['default-simulated-1'], 'also when it registers again');
  await pod('before');
  await clock.advance(10_000);
  assert.equal((await get('before')).status.phase, 'Running');

  await markNodes(client, marksOf('default', { real: 1 }));
  assert.deepEqual(await withRole(), []);
  await pod('usual');
  await pod('tolerant', { tolerations });
  const labels = { app: 'agent' };
  await client.create(DaemonSet, {
    metadata: { name: 'agent', namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  });
  await clock.advance(10_000);
  assert.equal((await get('before')).status.phase, 'Running', 'what runs stays');
  assert.equal((await get('tolerant')).status.phase, 'Running');
  assert.match(
    findCondition((await get('usual')).status.conditions, 'PodScheduled')?.message ?? '',
    /^0\/2 nodes are available: 2 node\(s\) had untolerated taint\(s\)/,
  );
  const agents = await client.get(DaemonSet, { name: 'agent', namespace: 'default' });
  assert.equal(agents.status.desiredNumberScheduled, 0);

  await markNodes(client, marksOf('default', { real: 0 }));
  await clock.advance(10_000);
  assert.deepEqual(await withRole(), ['default-simulated-1']);
  assert.equal((await get('usual')).status.phase, 'Running');
});
