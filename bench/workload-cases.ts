/**
 * Load that controllers and a scheduler work off: a Deployment until its pods exist, pods until they are bound. They
 * need nothing but the API, so they run on any cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createNamespace, memoryFigures } from './api-cases.ts';
import type { Figures } from './figures.ts';
import type { Generator } from './generator.ts';
import { bareNodeLabel, deployment } from './objects.ts';
import type { Target } from './target.ts';

export const pods = 3000;
const requestsAtOnce = 32;
const timeoutMs = 120_000;
const warmUpReplicas = 600;
const warmUpPods = 300;
const namespaceOf = (name: string): string => `bench-${process.pid}-${name}`;

export interface WorkloadCase {
  readonly name: string;
  readonly title: string;
  readonly run: (target: Target, generator: Generator) => Promise<Figures>;
}

export const workloadCases: readonly WorkloadCase[] = [
  { name: 'deployment', title: 'one Deployment of 3,000 replicas, until its pods exist', run: scaleDeployment },
  { name: 'schedule-bare', title: '3,000 pods on 5,000 nodes without kubelets, until bound', run: scheduleOnBareNodes },
];

/** Nobody schedules the pods. */
async function scaleDeployment(target: Target, generator: Generator): Promise<Figures> {
  const run = async (name: string, replicas: number): Promise<number> => {
    const namespace = namespaceOf(name);
    await createNamespace({ generator }, namespace);
    await ensureServiceAccount(generator, namespace);
    const watched = `/api/v1/namespaces/${namespace}/pods?watch=true`;
    await generator.do({ type: 'watch', name, path: watched, watchers: 1, eventType: 'ADDED' });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const { startMs } = await generator.request({ method: 'POST', path, body: JSON.stringify(deployment('many', replicas)) });
    const { atMs } = await generator.do({ type: 'await-events', name, events: replicas, timeoutMs });
    await generator.do({ type: 'end-watches', name });
    return atMs - startMs;
  };
  await generator.connect(target.access, 1);
  await run('warm-up-replicas', warmUpReplicas);
  const cpuBefore = target.cpuMs();
  const ms = await run('replicas', pods);
  const figures = { perSecond: (pods / ms) * 1000, ...cpuPerPod(target, cpuBefore, pods), ...(await memoryFigures(target)) };
  for (const name of ['warm-up-replicas', 'replicas']) await removeNamespace(generator, name);
  return figures;
}

const bareNodes = 5000;
const lookMs = 500;

async function scheduleOnBareNodes(target: Target, generator: Generator): Promise<Figures> {
  await generator.connect(target.access, requestsAtOnce);
  const place = { namespace: '', prefix: 'bare-', existing: 0 };
  const workload = { type: 'create-nodes' } as const;
  const made = await generator.do({ type: 'load', workload, place, first: 0, count: bareNodes, atOnce: requestsAtOnce });
  if (made.failures > 0) throw new Error(made.firstFailure);
  await untilSchedulable(generator);
  await schedulePods(generator, 'warm-up-pods', warmUpPods);
  const cpuBefore = target.cpuMs();
  const { boundMs } = await schedulePods(generator, 'pods', pods);
  const figures = { perSecond: (pods / boundMs) * 1000, ...cpuPerPod(target, cpuBefore, pods), ...(await memoryFigures(target)) };
  for (const name of ['warm-up-pods', 'pods']) await removeNamespace(generator, name);
  await generator.request({ method: 'DELETE', path: `/api/v1/nodes?labelSelector=${bareNodeLabel}` });
  return figures;
}

/** New nodes are tainted until a controller has seen that they are Ready. */
async function untilSchedulable(generator: Generator): Promise<void> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += lookMs) {
    const { text } = await generator.request({ method: 'GET', path: `/api/v1/nodes?labelSelector=${bareNodeLabel}` });
    const { items } = JSON.parse(text) as { items: { spec: { taints?: unknown[] } }[] };
    if (items.every(({ spec }) => !spec.taints?.length)) return;
    await sleep(lookMs);
  }
  throw new Error('the nodes stay tainted');
}

export interface Scheduled {
  readonly boundMs: number;
  readonly runningMs?: number | undefined;
}

/** From the first create to the last binding (and to Running), as a watching client sees it. */
export async function schedulePods(generator: Generator, name: string, count: number, untilRunning = false): Promise<Scheduled> {
  const namespace = namespaceOf(name);
  await createNamespace({ generator }, namespace);
  await ensureServiceAccount(generator, namespace);
  const selectors = { bound: 'spec.nodeName!=', ...(untilRunning && { running: 'status.phase=Running,spec.nodeName!=' }) };
  for (const [watch, selector] of Object.entries(selectors)) {
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true&fieldSelector=${encodeURIComponent(selector)}`;
    await generator.do({ type: 'watch', name: watch, path, watchers: 1, eventType: 'ADDED' });
  }
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const [{ startMs, failures, firstFailure }, ...seen] = await Promise.all([
    generator.do({
      type: 'load',
      workload: { type: 'create-pods' },
      place: { namespace, prefix: 'pod-', existing: 0 },
      first: 0,
      count,
      atOnce: requestsAtOnce,
    }),
    ...Object.keys(selectors).map((watch) => generator.do({ type: 'await-events', name: watch, events: count, timeoutMs })),
  ]).catch(async (error: unknown) => {
    throw new Error(`pods: ${await describePods(generator, path)}`, { cause: error });
  });
  if (failures > 0) throw new Error(firstFailure);
  for (const watch of Object.keys(selectors)) await generator.do({ type: 'end-watches', name: watch });
  const [bound, running] = seen;
  return { boundMs: (bound?.atMs ?? 0) - startMs, runningMs: running && running.atMs - startMs };
}

/** How many are how far, for when they don't get on. */
async function describePods(generator: Generator, path: string): Promise<string> {
  const { text } = await generator.request({ method: 'GET', path });
  const { items } = JSON.parse(text) as { items: { spec: { nodeName?: string }; status: { phase: string } }[] };
  const counts = new Map<string, number>();
  for (const { spec, status } of items) {
    const state = `${status.phase}${spec.nodeName ? '' : ', not bound'}`;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return JSON.stringify(Object.fromEntries(counts));
}

/** Its controllers do it in the background. */
async function removeNamespace(generator: Generator, name: string): Promise<void> {
  await generator.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespaceOf(name)}` });
}

export function cpuPerPod(target: Target, before: number | undefined, count: number): Figures {
  const now = target.cpuMs();
  return now === undefined || before === undefined ? {} : { cpuMsPer1000: ((now - before) / count) * 1000 };
}

/** A controller makes it too; whoever comes first. */
async function ensureServiceAccount(generator: Generator, namespace: string): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  await generator.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body }, [409]);
}
