/**
 * The scheduler under random load and faults: pods of all sizes and priorities come and go, nodes too, and its writes fail
 * or their answers are lost. No node is ever given more than it has; when it is over, no pod waits that would fit.
 * `CHAOS_SEEDS=1-500` tries more seeds than the few that always run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Node, Pod, PriorityClass } from '../../src/api/generated/kinds.ts';
import { quantityMilliValue } from '../../src/api/meta/quantity.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import { type Random, seededRandom } from '../../src/client/clock.ts';
import { faultyClient } from './faulty-client.ts';
import { requests, type SchedulerCluster, startSchedulerCluster } from './scheduler-cluster.ts';

const steps = 60;
const nodeNames = ['n0', 'n1', 'n2', 'n3'];
const nodeCPU = 4;
const faultRate = 0.2;
/** Longer than the longest back-off, and than pods that nothing can help are left alone. */
const restMs = 400_000;

const [firstSeed = 1, lastSeed = 6] = process.env['CHAOS_SEEDS']?.split('-').map(Number) ?? [];
for (let seed = firstSeed; seed <= lastSeed; seed++) test(`seed ${seed}`, () => live(seed));

async function live(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const faults = { random: seededRandom(seed + 1), rate: faultRate };
  await using cluster = await startSchedulerCluster({ wrap: (client) => faultyClient(client, faults) });
  for (const name of ['low', 'high']) await cluster.client.create(PriorityClass, { metadata: { name }, value: name === 'low' ? 1 : 1000 });
  const story: string[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      story.push(await happen(cluster, random, step));
      await checkRoom(cluster);
    }
    faults.rate = 0;
    for (let i = 0; i < 3; i++) {
      await cluster.settle(restMs);
      await endVictims(cluster);
    }
    await cluster.settle(restMs);
    await checkRoom(cluster);
    await checkNobodyWaitsInVain(cluster);
  } catch (error) {
    throw new Error(`seed ${seed}, after\n${story.join('\n')}`, { cause: error });
  }
}

const pick = <T>(random: Random, list: readonly T[]): T | undefined => list[Math.floor(random.next() * list.length)];

async function happen(cluster: SchedulerCluster, random: Random, step: number): Promise<string> {
  const { client } = cluster;
  const dice = random.next();
  let what = 'nothing';
  if (dice < 0.5) {
    for (let i = 0; i < 3; i++) {
      const cpu = pick(random, ['500m', '1', '2', '3']) ?? '1';
      const priorityClassName = pick(random, ['low', 'low', 'high']) ?? 'low';
      await cluster.pod(`p${step}-${i}`, { ...requests(cpu), priorityClassName, priority: priorityClassName === 'low' ? 1 : 1000 });
      what = `3 pods, the last ${cpu} ${priorityClassName}`;
    }
  } else if (dice < 0.7) {
    const pod = pick(random, (await client.list(Pod)).items);
    if (pod) await tolerant(() => cluster.remove(pod.metadata.name ?? ''));
    what = `remove ${pod?.metadata.name}`;
  } else if (dice < 0.85) {
    const name = pick(random, nodeNames) ?? '';
    const there = (await client.list(Node)).items.find(({ metadata }) => metadata.name === name);
    if (!there) await cluster.node(name, { cpu: String(nodeCPU) });
    else if (random.next() < 0.5) await cluster.changeNode(name, { spec: { unschedulable: !there.spec.unschedulable } });
    else await loseNode(cluster, name);
    what = `change ${name}`;
  } else if (dice < 0.9) {
    await cluster.restart();
    what = 'restart';
  } else await endVictims(cluster);
  const ms = pick(random, [0, 0, 500, 3000, 20_000]) ?? 0;
  await cluster.settle(ms);
  return `${what}; ${ms} ms`;
}

/** A node goes with its pods. */
async function loseNode(cluster: SchedulerCluster, name: string): Promise<void> {
  await cluster.client.delete(Node, { name });
  for (const pod of (await cluster.client.list(Pod)).items)
    if (pod.spec.nodeName === name) await tolerant(() => cluster.remove(pod.metadata.name ?? ''));
}

/** What a kubelet does with pods that are being deleted. */
async function endVictims(cluster: SchedulerCluster): Promise<void> {
  for (const pod of (await cluster.client.list(Pod)).items)
    if (pod.metadata.deletionTimestamp) await tolerant(() => cluster.remove(pod.metadata.name ?? ''));
}

async function tolerant(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isStatusError(error)) throw error;
  }
}

const cpuOf = (pod: Pod): number => quantityMilliValue(pod.spec.containers[0]?.resources?.requests?.['cpu'] ?? '0') / 1000;

async function usedByNode({ client }: SchedulerCluster): Promise<Map<string, number>> {
  const used = new Map((await client.list(Node)).items.map(({ metadata }) => [metadata.name ?? '', 0]));
  for (const pod of (await client.list(Pod)).items) {
    const { nodeName } = pod.spec;
    if (nodeName) used.set(nodeName, (used.get(nodeName) ?? 0) + cpuOf(pod));
  }
  return used;
}

async function checkRoom(cluster: SchedulerCluster): Promise<void> {
  for (const [name, used] of await usedByNode(cluster)) assert.ok(used <= nodeCPU, `${name} has ${nodeCPU} and is given ${used}`);
}

async function checkNobodyWaitsInVain(cluster: SchedulerCluster): Promise<void> {
  const used = await usedByNode(cluster);
  const open = (await cluster.client.list(Node)).items.filter(({ spec }) => !spec.unschedulable);
  for (const pod of (await cluster.client.list(Pod)).items) {
    if (pod.spec.nodeName || pod.metadata.deletionTimestamp) continue;
    for (const { metadata } of open) {
      const free = nodeCPU - (used.get(metadata.name ?? '') ?? 0);
      assert.ok(cpuOf(pod) > free, `${pod.metadata.name} of ${cpuOf(pod)} waits, though ${metadata.name} has ${free} left`);
    }
  }
}
