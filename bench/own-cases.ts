/** What is measured of timonier alone: starting, the first pod, an idle cluster, simulated nodes. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryFigures } from './api-cases.ts';
import { measureDefinitions } from './definitions.ts';
import type { Figures, Row } from './figures.ts';
import { Generator } from './generator.ts';
import { pod } from './objects.ts';
import { type OwnContext, OwnServer, type OwnServerOptions, sourceRoot } from './own-server.ts';
import { cpuPerPod, pods, schedulePods } from './workload-cases.ts';
import { measureWorst } from './worst-case.ts';

export interface OwnCase {
  readonly name: string;
  readonly run: (context: OwnContext) => Promise<readonly Row[]>;
}

export const ownCases: readonly OwnCase[] = [
  { name: 'start', run: measureStart },
  { name: 'pod', run: measureFirstPod },
  { name: 'idle', run: measureIdle },
  { name: 'worst', run: measureWorst },
  { name: 'definitions', run: measureDefinitions },
  { name: 'schedule-1000', run: (context) => measureScheduling(context, 1000) },
  { name: 'schedule-5000', run: (context) => measureScheduling(context, 5000) },
];

const requestsAtOnce = 32;
const warmUpPods = 300;
const timeoutMs = 300_000;
const settleMs = 10_000;

let serversStarted = 0;

function start(context: OwnContext, options: Omit<OwnServerOptions, 'dir' | 'name'>): Promise<OwnServer> {
  return OwnServer.start({ dir: context.dir, name: `own-${++serversStarted}`, ...options });
}

/**
 * From the start of the process, of the checkout and of the package in turn. Ready: nodes are Ready too, DNS answers, pods
 * can be created.
 */
async function measureStart(context: OwnContext): Promise<Row[]> {
  const rounds = context.quick ? 3 : 7;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: sourceRoot });
  const programs = [
    { title: '', cache: 'fresh-compile-cache', entry: join(sourceRoot, 'src/cli/main.ts') },
    { title: ' (package)', cache: 'fresh-package-cache', entry: join(sourceRoot, 'dist/lib/cli/main.js') },
  ].map((program) => ({ ...program, starts: [] as ReadonlyMap<string, number>[] }));
  for (let i = 0; i < rounds; i++) {
    for (const { cache, entry, starts } of programs) {
      await using server = await start(context, { simulated: 1, probe: false, compileCache: join(context.dir, cache), entry });
      starts.push(server.phasesMs);
    }
  }
  const phases = [
    ['api-server', 'the API answers'],
    ['scheduler', 'control plane ready'],
    ['ready', 'cluster ready, with one simulated node'],
  ] as const;
  return phases.flatMap(([phase, name]) =>
    programs.flatMap(({ title, starts: [cold, ...warm] }) => [
      { group: 'start', name: `${name}, first start ever${title}`, ours: { ms: cold?.get(phase) ?? 0 } },
      { group: 'start', name: `${name}, later starts${title}`, ours: { ms: median(warm.map((phasesMs) => phasesMs.get(phase) ?? 0)) } },
    ]),
  );
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function measureFirstPod(context: OwnContext): Promise<Row[]> {
  const fromStartMs: number[] = [];
  const fromCreateMs: number[] = [];
  using generator = new Generator();
  for (let i = 0; i < (context.quick ? 2 : 5); i++) {
    const startMs = performance.now();
    await using server = await start(context, { simulated: 1, probe: false });
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
  await using server = await start(context, { simulated: 1 });
  await sleep(settleMs);
  const figures = await context.profiled(server, 'idle', () => idleFigures(server, context.idleSeconds));
  return [{ group: 'idle', name: `control plane and one simulated node, over ${context.idleSeconds} s`, ours: figures }];
}

async function idleFigures(server: OwnServer, seconds: number): Promise<Figures> {
  const cpuBefore = server.cpuMs();
  await sleep(seconds * 1000);
  return { cpuPercent: ((server.cpuMs() - cpuBefore) / (seconds * 1000)) * 100, ...(await memoryFigures(server)) };
}

/** Simulated kubelets run the pods, in the same process. */
async function measureScheduling(context: OwnContext, nodes: number): Promise<Row[]> {
  const count = context.quick ? pods / 3 : pods;
  await using server = await start(context, { simulated: nodes });
  const empty = { ms: server.phasesMs.get('ready') ?? 0, ...(await memoryFigures(server)) };
  using generator = new Generator();
  await generator.connect(server.access, requestsAtOnce);
  await schedulePods(generator, 'warm-up', warmUpPods, true);
  const cpuBefore = server.cpuMs();
  const { boundMs, runningMs = 0 } = await context.profiled(server, `schedule-${nodes}`, () =>
    schedulePods(generator, 'measured', count, true),
  );
  const cpu = cpuPerPod(server, cpuBefore, count);
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
    { group: 'scheduling', name: `the same, until Running`, ours: { perSecond: (count / runningMs) * 1000, ...cpu } },
    { group: 'scheduling', name: `idle with ${title}, over ${idleSeconds} s`, ours: idle },
  ];
}
