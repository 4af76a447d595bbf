/**
 * Workloads under random faults: pods killed, failed and taken away, specs changed, nodes lost, writes that fail or whose
 * answers are lost. Whatever happened: when it is over, everything comes to what its spec says, and a namespace goes.
 * `CHAOS_SEEDS=1-500` tries more of them than the few that always run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonSet, Deployment, Job, Namespace, Node, Pod, ReplicaSet, StatefulSet } from '../../src/api/generated/kinds.ts';
import type { KindRef, KubeObject } from '../../src/api/meta/object.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { type Random, seededRandom } from '../../src/client/clock.ts';
import { builtinControllers } from '../../src/control-plane/controllers/index.ts';
import { type ControlPlane, createNode, podTemplate, startControlPlane, testNode } from './control-plane.ts';
import { faultyClient } from './faulty-client.ts';

const namespace = 'n';
const steps = 40;
const nodes = ['node-1', 'node-2', 'node-3'];
const faultRate = 0.15;

const [firstSeed = 1, lastSeed = 6] = process.env['CHAOS_SEEDS']?.split('-').map(Number) ?? [];
for (let seed = firstSeed; seed <= lastSeed; seed++) test(`seed ${seed}`, () => live(seed));

async function live(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const faults = { random: seededRandom(seed + 1), rate: faultRate };
  const controllers = [...builtinControllers({ clusterCIDR: '10.244.0.0/16' }), testNode({ fate: fateOf })];
  await using plane = await startControlPlane(controllers, { seed, wrap: (client) => faultyClient(client, faults) });
  await createWorkloads(plane);
  const story: string[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      story.push(await happen(plane, random));
      await checkBounds(plane);
    }
    faults.rate = 0;
    for (const name of nodes) await tolerant(() => createNode(plane.client, name));
    await rest(plane);
    await checkConverged(plane);
    await plane.client.delete(Namespace, { name: namespace });
    await rest(plane);
    assert.deepEqual((await plane.client.list(Pod, { namespace })).items, []);
    await assert.rejects(plane.client.get(Namespace, { name: namespace }), { code: 404 });
  } catch (error) {
    throw new Error(`seed ${seed}, after\n${story.join('\n')}`, { cause: error });
  }
}

/** Pods of Jobs end well; the others run. */
const fateOf = (pod: Pod) => (pod.metadata.labels?.['job-name'] ? 'succeeded' : 'ready');

async function createWorkloads({ client, settle }: ControlPlane): Promise<void> {
  for (const name of nodes) await createNode(client, name);
  await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
  const parts = (app: string) => ({ selector: { matchLabels: { app } }, template: podTemplate({ app }) });
  const metadata = (name: string) => ({ name, namespace });
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };
  await client.create(Deployment, { metadata: metadata('web'), spec: { replicas: 4, strategy, ...parts('web') } });
  await client.create(StatefulSet, { metadata: metadata('db'), spec: { serviceName: 'db', replicas: 3, ...parts('db') } });
  await client.create(DaemonSet, { metadata: metadata('agent'), spec: parts('agent') });
  const template = podTemplate({ app: 'job' });
  await client.create(Job, {
    metadata: metadata('job'),
    spec: {
      completions: 6,
      parallelism: 2,
      backoffLimit: 100,
      template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } },
    },
  });
  await settle();
}

type Happening = (plane: ControlPlane, random: Random) => Promise<string>;

const pick = <T>(random: Random, list: readonly T[]): T | undefined => list[Math.floor(random.next() * list.length)];
const pickPod = async ({ client }: ControlPlane, random: Random) => pick(random, (await client.list(Pod, { namespace })).items);
const at = (name: string) => ({ namespace, name });

const happenings: readonly Happening[] = [
  async (plane, random) => {
    const pod = await pickPod(plane, random);
    const gracePeriodSeconds = random.next() < 0.5 ? 0 : 30;
    if (pod) await tolerant(() => plane.client.delete(Pod, at(pod.metadata.name ?? ''), { gracePeriodSeconds }));
    return `delete ${pod?.metadata.name} with ${gracePeriodSeconds} s`;
  },
  async (plane, random) => {
    const pod = await pickPod(plane, random);
    if (pod)
      await tolerant(() => plane.client.update(Pod, { ...pod, status: { ...pod.status, phase: 'Failed' } }, { subresource: 'status' }));
    return `fail ${pod?.metadata.name}`;
  },
  async (plane, random) => {
    const pod = await pickPod(plane, random);
    const body = { metadata: { labels: { app: pick(random, ['stray', 'web', 'db']) } } };
    // A stray that holds the name of a StatefulSet's pod stops the set, as in upstream.
    if (pod && !pod.metadata.name?.startsWith('db-'))
      await tolerant(() => plane.client.patch(Pod, at(pod.metadata.name ?? ''), { type: 'merge', body }));
    return `label ${pod?.metadata.name} ${body.metadata.labels.app}`;
  },
  async ({ client }, random) => {
    const replicas = Math.floor(random.next() * 6);
    const [kind, name] = pick(random, [
      [Deployment, 'web'],
      [StatefulSet, 'db'],
    ] as const) ?? [Deployment, 'web'];
    await client.patch<KubeObject>(kind as KindRef<KubeObject>, at(name), { type: 'merge', body: { spec: { replicas } } });
    return `scale ${name} to ${replicas}`;
  },
  async ({ client }, random) => {
    const image = `image-${Math.floor(random.next() * 4)}`;
    const [kind, name] = pick(random, [
      [Deployment, 'web'],
      [StatefulSet, 'db'],
      [DaemonSet, 'agent'],
    ] as const) ?? [Deployment, 'web'];
    const body = { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } };
    await client.patch<KubeObject>(kind as KindRef<KubeObject>, at(name), { type: 'merge', body });
    return `roll ${name} to ${image}`;
  },
  async ({ client }, random) => {
    const name = pick(random, nodes) ?? '';
    const isThere = (await client.list(Node)).items.some(({ metadata }) => metadata.name === name);
    if (isThere) await client.delete(Node, { name });
    else await createNode(client, name);
    return `${isThere ? 'lose' : 'bring back'} ${name}`;
  },
  async ({ client }, random) => {
    const set = pick(random, (await client.list(ReplicaSet, { namespace })).items);
    const propagationPolicy = pick(random, ['Orphan', 'Background', 'Foreground'] as const) ?? 'Orphan';
    if (set) await tolerant(() => client.delete(ReplicaSet, at(set.metadata.name ?? ''), { propagationPolicy }));
    return `delete ${set?.metadata.name} ${propagationPolicy}`;
  },
];

async function happen(plane: ControlPlane, random: Random): Promise<string> {
  const happening = pick(random, happenings);
  const what = (await happening?.(plane, random)) ?? '';
  const seconds = pick(random, [0, 0, 1, 5]) ?? 0;
  if (seconds > 0) await plane.tick(seconds);
  else if (random.next() < 0.5) await plane.settle();
  return `${what}; ${seconds} s`;
}

/** Somebody else may have been faster. */
async function tolerant(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isStatusError(error)) throw error;
  }
}

const rest = async (plane: ControlPlane): Promise<void> => {
  for (let i = 0; i < 60; i++) {
    await plane.settle();
    await plane.clock.advance(20_000);
  }
  await plane.settle();
};

/** What holds at any time. */
async function checkBounds({ client }: ControlPlane): Promise<void> {
  const web = await client.get(Deployment, at('web'));
  const sets = (await client.list(ReplicaSet, { namespace })).items.filter((set) => isOwned(set, web));
  const wanted = sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
  const before = sets.reduce(
    (max, { metadata }) => Math.max(max, Number(metadata.annotations?.['deployment.kubernetes.io/desired-replicas'] ?? 0)),
    0,
  );
  assert.ok(wanted <= Math.max(web.spec.replicas ?? 0, before) + 1, `the ReplicaSets of ${web.spec.replicas} replicas want ${wanted}`);
}

const isOwned = (object: KubeObject, owner: KubeObject): boolean =>
  object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;

async function checkConverged({ client }: ControlPlane): Promise<void> {
  const pods = (await client.list(Pod, { namespace })).items;
  const running = (owner: KubeObject) =>
    pods.filter((pod) => isOwned(pod, owner) && pod.status.phase === 'Running').map(({ metadata }) => metadata.name);
  const web = await client.get(Deployment, at('web'));
  const sets = (await client.list(ReplicaSet, { namespace })).items.filter((set) => isOwned(set, web));
  const current = sets.filter(({ spec }) => (spec.replicas ?? 0) > 0);
  assert.equal(current.length <= 1, true, 'one ReplicaSet');
  assert.equal(current.flatMap(running).length, web.spec.replicas, 'the Deployment’s pods');
  assert.deepEqual(
    [web.status.readyReplicas ?? 0, web.status.updatedReplicas ?? 0, web.status.replicas ?? 0],
    Array(3).fill(web.spec.replicas),
  );
  const db = await client.get(StatefulSet, at('db'));
  assert.deepEqual(
    running(db).sort(),
    Array.from({ length: db.spec.replicas ?? 0 }, (_, i) => `db-${i}`),
  );
  assert.deepEqual([db.status.readyReplicas ?? 0, db.status.updatedReplicas ?? 0], Array(2).fill(db.spec.replicas));
  const agent = await client.get(DaemonSet, at('agent'));
  const agents = pods.filter((pod) => isOwned(pod, agent) && pod.status.phase === 'Running');
  assert.deepEqual(agents.map(({ spec }) => spec.nodeName).sort(), nodes);
  assert.deepEqual([agent.status.numberReady, agent.status.updatedNumberScheduled ?? 0], [3, 3]);
  const job = await client.get(Job, at('job'));
  assert.equal(job.status.succeeded, 6);
  assert.equal(job.status.conditions?.find(({ type }) => type === 'Complete')?.status, 'True');
  const owners = new Set([...sets, db, agent, job].map(({ metadata }) => metadata.uid));
  const strays = pods.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => !owners.has(uid)));
  assert.deepEqual(
    strays.map(({ metadata }) => metadata.name),
    [],
    'pods of owners that are gone',
  );
}
