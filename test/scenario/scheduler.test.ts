/** The scheduler on the real API server, in memory, on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec } from '../../src/api/generated/core-v1.ts';
import { Event, Namespace, Node, Pod } from '../../src/api/generated/kinds.ts';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { seededRandom } from '../../src/client/clock.ts';
import { createEventWriter } from '../../src/client/event-writer.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { Scheduler } from '../../src/control-plane/scheduler/scheduler.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';

async function start() {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const log = silentLog;
  const storage = openMemoryStore({ clock, log });
  const server = await createApiServer({ storage, registry: builtInRegistry(), clock, random, log });
  const client = server.clientFor({ name: 'admin', groups: ['system:masters'] });
  await client.create(Namespace, { metadata: { name: 'default' }, spec: {} });
  const events = createEventWriter(client, { component: 'default-scheduler', clock, log });
  const scheduler = await Scheduler.start({ client, clock, events, log });
  const node = (name: string, change: { labels?: Record<string, string>; cpu?: string; taints?: Node['spec']['taints'] } = {}) =>
    client.create(Node, {
      metadata: { name, labels: { 'kubernetes.io/hostname': name, ...change.labels } },
      spec: { ...(change.taints && { taints: change.taints }) },
      status: { allocatable: { cpu: change.cpu ?? '4', memory: '8Gi', pods: '110' } },
    });
  const pod = (name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}) =>
    client.create(Pod, { metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
  const settle = (ms = 0) => clock.advance(ms);
  const nodeOf = async (name: string) => (await client.get(Pod, { namespace: 'default', name })).spec.nodeName;
  return {
    client,
    node,
    pod,
    settle,
    nodeOf,
    async [Symbol.asyncDispose]() {
      await scheduler[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
    },
  };
}

const requests = (cpu: string) => ({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] });
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
  await using cluster = await start();
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
  const events = await cluster.client.list(Event, { namespace: 'default' });
  assert.ok(
    events.items.some((event) => event.reason === 'Scheduled' && event.message === `Successfully assigned default/big to ${first}`),
  );
});

test('a pod that fits nowhere says why, and is placed when a node comes', async () => {
  await using cluster = await start();
  await cluster.node('small', { cpu: '1' });
  await cluster.node('tainted', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  await cluster.pod('big', requests('2'));
  await cluster.settle(100);
  const waiting = await cluster.client.get(Pod, { namespace: 'default', name: 'big' });
  const condition = waiting.status.conditions?.find((c) => c.type === 'PodScheduled');
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
  await using cluster = await start();
  await cluster.node('a', { cpu: '2' });
  await cluster.pod('first', requests('2'));
  await cluster.settle();
  await cluster.pod('second', requests('2'));
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('second'), undefined);
  await cluster.client.delete(Pod, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 });
  await cluster.settle(2000);
  assert.equal(await cluster.nodeOf('second'), 'a');
});

test('hard constraints spread over zones, and hold the pod that would tip the balance', async () => {
  await using cluster = await start();
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
  await using cluster = await start();
  await cluster.node('a');
  await cluster.node('b');
  for (const name of ['p0', 'p1', 'p2']) await cluster.pod(name, apart('db'), { app: 'db' });
  await cluster.settle(100);
  const placed = await Promise.all(['p0', 'p1', 'p2'].map((name) => cluster.nodeOf(name)));
  assert.deepEqual(new Set(placed), new Set(['a', 'b', undefined]));
});
