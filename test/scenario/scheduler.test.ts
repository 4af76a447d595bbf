/** The scheduler on the real API server, in memory, on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requests, startSchedulerCluster } from './scheduler-cluster.ts';

const spread = (topologyKey: string, app: string) => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: { matchLabels: { app } } },
  ],
});
const apart = (app: string) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } }],
    },
  },
});

test('a pod goes to the emptier node, and says so', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.node('b');
  await cluster.pod('big', requests('2'));
  await cluster.settle();
  const first = await cluster.nodeOf('big');
  await cluster.pod('small', requests('1'));
  await cluster.settle();
  assert.ok(first);
  assert.notEqual(await cluster.nodeOf('small'), first);
  await cluster.settle(1000);
  assert.deepEqual(await cluster.events('big'), [`Scheduled: Successfully assigned default/big to ${first}`]);
});

test('equal pods that come one by one fill all nodes', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.node('b');
  const names = ['p0', 'p1', 'p2', 'p3'];
  for (const name of names) {
    await cluster.pod(name, requests('2'));
    await cluster.settle();
  }
  const placed = await Promise.all(names.map(cluster.nodeOf));
  assert.deepEqual(placed.sort(), ['a', 'a', 'b', 'b']);
});

test('a pod that fits nowhere says why, and is placed when a node comes', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('small', { cpu: '1' });
  await cluster.node('tainted', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  await cluster.pod('big', requests('2'));
  await cluster.settle(100);
  const condition = await cluster.scheduled('big');
  assert.equal(condition?.reason, 'Unschedulable');
  assert.equal(
    condition.message,
    '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  );
  await cluster.node('big');
  await cluster.settle(1100);
  assert.equal(await cluster.nodeOf('big'), 'big');
});

test('room that a deleted pod leaves is used', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a', { cpu: '2' });
  await cluster.pod('first', requests('2'));
  await cluster.settle();
  await cluster.pod('second', requests('2'));
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('second'), undefined);
  await cluster.remove('first');
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('second'), 'a');
});

test('hard constraints spread over zones, and hold the pod that would tip the balance', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a', { labels: { zone: 'x' } });
  await cluster.node('b', { labels: { zone: 'y' }, cpu: '1' });
  for (let i = 0; i < 4; i++) {
    await cluster.pod(`p${i}`, { ...requests('600m'), ...spread('zone', 'web') }, { app: 'web' });
    await cluster.settle();
  }
  const placed = await Promise.all([0, 1, 2, 3].map((i) => cluster.nodeOf(`p${i}`)));
  assert.deepEqual(placed.slice(0, 2).sort(), ['a', 'b']);
  assert.equal(placed[2], 'a');
  assert.equal(placed[3], undefined);
});

test('pods that avoid each other never share a node', async () => {
  await using cluster = await startSchedulerCluster();
  await cluster.node('a');
  await cluster.node('b');
  for (const name of ['p0', 'p1', 'p2']) await cluster.pod(name, apart('db'), { app: 'db' });
  await cluster.settle(100);
  const placed = await Promise.all(['p0', 'p1', 'p2'].map((name) => cluster.nodeOf(name)));
  assert.deepEqual(new Set(placed), new Set(['a', 'b', undefined]));
});
