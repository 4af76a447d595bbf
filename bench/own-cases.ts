/** What is measured of timonier alone: starting, the first pod, scheduling, a Deployment, an idle cluster. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNamespace, memoryFigures } from './api-cases.ts';
import type { Figures, Row } from './figures.ts';
import { Generator } from './generator.ts';
import { deployment, pod } from './objects.ts';
import { OwnServer, type OwnServerOptions } from './own-server.ts';

export interface OwnContext {
  readonly dir: string;
  readonly quick: boolean;
  readonly idleSeconds: number;
  /** around what is measured: records profiles when asked to */
  readonly profiled: <T>(server: OwnServer, name: string, work: () => Promise<T>) => Promise<T>;
}

export interface OwnCase {
  readonly name: string;
  readonly run: (context: OwnContext) => Promise<readonly Row[]>;
}

export const ownCases: readonly OwnCase[] = [
  { name: 'start', run: measureStart },
  { name: 'pod', run: measureFirstPod },
  { name: 'idle', run: measureIdle },
  { name: 'deployment', run: measureDeployment },
  { name: 'schedule-1000', run: (context) => measureScheduling(context, 1000) },
  { name: 'schedule-5000', run: (context) => measureScheduling(context, 5000) },
];

const requestsAtOnce = 32;
const pods = 3000;
const timeoutMs = 300_000;
const settleMs = 10_000;

let serversStarted = 0;

function start(context: OwnContext, options: Omit<OwnServerOptions, 'dir' | 'name'>): Promise<OwnServer> {
  return OwnServer.start({ dir: context.dir, name: `own-${++serversStarted}`, ...options });
}

/** From the start of the process. Ready: nodes are Ready too, DNS answers, pods can be created. */
async function measureStart(context: OwnContext): Promise<Row[]> {
  const rounds = context.quick ? 3 : 7;
  const compileCache = join(context.dir, 'fresh-compile-cache');
  const starts: ReadonlyMap<string, number>[] = [];
  for (let i = 0; i < rounds; i++) {
    await using server = await start(context, { hollow: 1, probe: false, compileCache });
    starts.push(server.phasesMs);
  }
  const [cold, ...warm] = starts;
  const phases = [
    ['api-server', 'the API answers'],
    ['scheduler', 'control plane ready'],
    ['ready', 'cluster ready, with one simulated node'],
  ] as const;
  return phases.flatMap(([phase, title]) => [
    { group: 'start', name: `${title}, first start ever`, ours: { ms: cold?.get(phase) ?? 0 } },
    { group: 'start', name: `${title}, later starts`, ours: { ms: median(warm.map((phasesMs) => phasesMs.get(phase) ?? 0)) } },
  ]);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function measureFirstPod(context: OwnContext): Promise<Row[]> {
  const fromStartMs: number[] = [];
  const fromCreateMs: number[] = [];
  using generator = new Generator();
  for (let i = 0; i < (context.quick ? 2 : 5); i++) {
    const startMs = performance.now();
    await using server = await start(context, { hollow: 1, probe: false });
    fromCreateMs.push(await runFirstPod(server, generator, pod('first')));
    fromStartMs.push(performance.now() - startMs);
  }
  return [
    { group: 'start', name: 'first pod Running on a simulated node, from the start of the process', ours: { ms: median(fromStartMs) } },
    { group: 'start', name: 'the same, from its create', ours: { ms: median(fromCreateMs) } },
  ];
}

/** Milliseconds from its create to Running, as a watching client sees it. */
export async function runFirstPod(server: OwnServer, generator: Generator, object: object): Promise<number> {
  await generator.connect(server.access, 1);
  const path = '/api/v1/namespaces/default/pods';
  const watched = `${path}?watch=true&fieldSelector=status.phase%3DRunning`;
  await generator.do({ type: 'watch', name: 'running', path: watched, watchers: 1, eventType: 'ADDED' });
  const { startMs } = await generator.request({ method: 'POST', path, body: JSON.stringify(object) });
  const { atMs } = await generator.do({ type: 'await-events', name: 'running', events: 1, timeoutMs });
  await generator.do({ type: 'end-watches', name: 'running' });
  return atMs - startMs;
}

async function measureIdle(context: OwnContext): Promise<Row[]> {
  await using server = await start(context, { hollow: 1 });
  await sleep(settleMs);
  const figures = await context.profiled(server, 'idle', () => idleFigures(server, context.idleSeconds));
  return [{ group: 'idle', name: `control plane and one simulated node, over ${context.idleSeconds} s`, ours: figures }];
}

async function idleFigures(server: OwnServer, seconds: number): Promise<Figures> {
  const cpuBefore = server.cpuMs();
  await sleep(seconds * 1000);
  return { cpuPercent: ((server.cpuMs() - cpuBefore) / (seconds * 1000)) * 100, ...(await memoryFigures(server)) };
}

/** Until its pods exist; nobody schedules them. */
async function measureDeployment(context: OwnContext): Promise<Row[]> {
  await using server = await start(context, {});
  using generator = new Generator();
  await generator.connect(server.access, 1);
  const run = async (namespace: string, replicas: number): Promise<number> => {
    await createNamespace({ generator }, namespace);
    await generator.do({
      type: 'watch',
      name: namespace,
      path: `/api/v1/namespaces/${namespace}/pods?watch=true`,
      watchers: 1,
      eventType: 'ADDED',
    });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const { startMs } = await generator.request({ method: 'POST', path, body: JSON.stringify(deployment('many', replicas)) });
    const { atMs } = await generator.do({ type: 'await-events', name: namespace, events: replicas, timeoutMs });
    await generator.do({ type: 'end-watches', name: namespace });
    return atMs - startMs;
  };
  await run('warm-up', pods / 5);
  const cpuBefore = server.cpuMs();
  const ms = await context.profiled(server, 'deployment', () => run('measured', pods));
  const cpuMsPer1000 = ((server.cpuMs() - cpuBefore) / pods) * 1000;
  const ours = { perSecond: (pods / ms) * 1000, cpuMsPer1000, ...(await memoryFigures(server)) };
  return [{ group: 'scheduling', name: 'one Deployment of 3,000 replicas, until its pods exist', ours }];
}

/** From the first create to the last binding, and until the simulated kubelets say Running; clients see it by watching. */
async function measureScheduling(context: OwnContext, nodes: number): Promise<Row[]> {
  const count = context.quick ? pods / 3 : pods;
  await using server = await start(context, { hollow: nodes });
  const empty = { ms: server.phasesMs.get('ready') ?? 0, ...(await memoryFigures(server)) };
  using generator = new Generator();
  await generator.connect(server.access, requestsAtOnce);
  const run = async (namespace: string, total: number): Promise<{ boundMs: number; runningMs: number }> => {
    await createNamespace({ generator }, namespace);
    await ensureServiceAccount(generator, namespace);
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true&fieldSelector=`;
    for (const [name, selector] of [
      ['bound', 'spec.nodeName!='],
      ['running', 'status.phase=Running,spec.nodeName!='],
    ] as const)
      await generator.do({ type: 'watch', name, path: path + encodeURIComponent(selector), watchers: 1, eventType: 'ADDED' });
    const place = { namespace, prefix: 'pod-', existing: 0 };
    const creating = generator.do({
      type: 'load',
      workload: { type: 'create-pods' },
      place,
      first: 0,
      count: total,
      atOnce: requestsAtOnce,
    });
    const [{ startMs, failures, firstFailure }, bound, running] = await Promise.all([
      creating,
      generator.do({ type: 'await-events', name: 'bound', events: total, timeoutMs }),
      generator.do({ type: 'await-events', name: 'running', events: total, timeoutMs }),
    ]);
    if (failures > 0) throw new Error(firstFailure);
    for (const name of ['bound', 'running']) await generator.do({ type: 'end-watches', name });
    return { boundMs: bound.atMs - startMs, runningMs: running.atMs - startMs };
  };
  await run('warm-up', 300);
  const cpuBefore = server.cpuMs();
  const { boundMs, runningMs } = await context.profiled(server, `schedule-${nodes}`, () => run('measured', count));
  const cpuMsPer1000 = ((server.cpuMs() - cpuBefore) / count) * 1000;
  const title = `${nodes.toLocaleString('en')} simulated nodes`;
  const idleSeconds = context.quick ? 10 : 30;
  await sleep(settleMs);
  const idle = await idleFigures(server, idleSeconds);
  return [
    { group: 'scheduling', name: `start with ${title}, all Ready`, ours: empty },
    {
      group: 'scheduling',
      name: `${count.toLocaleString('en')} pods on ${title}: until bound`,
      ours: { perSecond: (count / boundMs) * 1000 },
    },
    { group: 'scheduling', name: `the same, until Running`, ours: { perSecond: (count / runningMs) * 1000, cpuMsPer1000 } },
    { group: 'scheduling', name: `idle with ${title}, over ${idleSeconds} s`, ours: idle },
  ];
}

/** The controller makes it too; whoever comes first. */
async function ensureServiceAccount(generator: Generator, namespace: string): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  await generator.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body }, [409]);
}
