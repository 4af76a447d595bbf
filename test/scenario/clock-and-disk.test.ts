/** On a clock that is moved by hand a cluster that is kept on a disk lives through the same as one in memory: time waits for the disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Cluster, kinds, type StartOptions, seededRandom, startCluster, VirtualClock } from '../../src/index.ts';

const labels = { app: 'front' };
const front = {
  metadata: { name: 'front', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'bakery' }] } },
  },
};
/** what a node has before it counts as lost: the node controller's grace period */
const leaseAgeMsMax = 40_000;
const stepMs = 300_000;
const steps = 6;

/** `front-5fc5b7765c-x7z2q` of a seed is another one where more was drawn before: names are no part of the state. */
async function stateOf({ client }: Cluster): Promise<unknown> {
  const [nodes, pods, deployment] = [
    await client.list(kinds.Node),
    await client.list(kinds.Pod, { namespace: 'default' }),
    await client.get(kinds.Deployment, { namespace: 'default', name: 'front' }),
  ];
  return {
    nodes: nodes.items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      taints: spec.taints,
      conditions: status.conditions?.map(({ type, status }) => `${type} ${status}`),
    })),
    pods: pods.items.map(({ metadata, spec, status }) => `${spec.nodeName} ${status.phase} since ${metadata.creationTimestamp}`).sort(),
    deployment: { ...deployment.status, conditions: deployment.status.conditions?.map(({ type, status }) => `${type} ${status}`) },
  };
}

/** Half an hour and a minute; at every step no lease is old. */
async function live(options: StartOptions): Promise<unknown> {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ nodes: 0, simulated: 2, clock, random: seededRandom(1), ...options });
  await cluster.client.create(kinds.Deployment, front);
  await clock.advance(60_000);
  for (let step = 0; step < steps; step++) {
    await clock.advance(stepMs);
    const { items } = await cluster.client.list(kinds.Lease, { namespace: 'kube-node-lease' });
    assert.equal(items.length, 2);
    for (const { metadata, spec } of items) {
      const ageMs = clock.now() - Date.parse(spec?.renewTime ?? '');
      assert.ok(ageMs <= leaseAgeMsMax, `the lease of ${metadata.name} is ${ageMs} ms old after step ${step}`);
    }
  }
  return stateOf(cluster);
}

test('half an hour on a disk is half an hour in memory', { timeout: 120_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'timonier-clock-'));
  try {
    assert.deepEqual(await live({ dataDir: dir }), await live({}));
  } finally {
    rmSync(dir, { recursive: true });
  }
});
