/**
 * The load on an API server, the same for every server: over HTTPS with a client certificate, 32 requests at once unless
 * said otherwise. Each case first runs a while unmeasured, as a server that has been up for a minute would be found.
 */
import type { Figures } from './figures.ts';
import type { Generator } from './generator.ts';
import type { LoadResult } from './jobs.ts';
import { type LoadPlace, nobody, type Workload } from './objects.ts';
import type { Target } from './target.ts';

export const atOnce = 32;
export const objectBytes = 1500;
export const listedBytes = 4000;
const listed = 5000;
const watchers = 50;
const watchedObjects = 500;
const eventsTimeoutMs = 120_000;

export interface ApiContext {
  readonly target: Target;
  readonly generator: Generator;
  /** 1, or less for a quick look */
  readonly scale: number;
  readonly namespace: string;
  /** what the namespaces hold already; kept by the cases */
  readonly made: { configMaps: number; records: number; listed: boolean; recordsListed: boolean; watched: boolean };
}

export interface ApiCase {
  readonly name: string;
  readonly title: string;
  /** of its row; default: `api` */
  readonly group?: string;
  readonly run: (context: ApiContext) => Promise<{ readonly figures?: Figures; readonly note?: string }>;
}

export const apiCases: readonly ApiCase[] = [
  { name: 'create', title: 'create a ConfigMap of 1.5 kB', run: (context) => createConfigMaps(context, 15_000, 1) },
  { name: 'create-http2', title: 'the same over one HTTP/2 connection', run: (context) => createConfigMaps(context, 10_000, 2) },
  { name: 'get', title: 'get it', run: (context) => spread(context, { type: 'get-config-maps' }, 40_000) },
  {
    name: 'get-http2',
    title: 'the same over one HTTP/2 connection',
    run: (context) => spread(context, { type: 'get-config-maps' }, 20_000, 2),
  },
  { name: 'update', title: 'update it', run: (context) => spread(context, { type: 'update-config-maps', bytes: objectBytes }, 10_000) },
  { name: 'patch', title: 'merge patch it', run: (context) => spread(context, { type: 'merge-patch-config-maps' }, 10_000) },
  { name: 'apply', title: 'apply it (server-side)', run: apply },
  { name: 'create-pod', title: 'create a Pod', run: createPods },
  { name: 'list', title: 'list 5,000 ConfigMaps, 20 MB', run: list },
  { name: 'watch', title: 'watch, 50 watchers: events delivered', run: watch },
];

async function createConfigMaps(context: ApiContext, full: number, http: 1 | 2): Promise<{ figures: Figures }> {
  const workload: Workload = { type: 'create-config-maps', bytes: objectBytes };
  const place = placeOf(context, context.namespace);
  const count = Math.round(full * context.scale);
  await context.generator.connect(context.target.access, http === 2 ? 1 : atOnce, http);
  await context.generator.do({ type: 'load', workload, place, first: context.made.configMaps, count: warmUp(count), atOnce });
  context.made.configMaps += warmUp(count);
  const first = context.made.configMaps;
  const figures = await measured(context, count, () => context.generator.do({ type: 'load', workload, place, first, count, atOnce }));
  context.made.configMaps += count;
  return { figures };
}

/** Requests spread over the ConfigMaps that are there. */
async function spread(context: ApiContext, workload: Workload, full: number, http: 1 | 2 = 1): Promise<{ figures: Figures }> {
  const { generator, target, scale } = context;
  const count = Math.round(full * scale);
  await ensureConfigMaps(context);
  await generator.connect(target.access, http === 2 ? 1 : atOnce, http);
  const place = placeOf(context, context.namespace);
  await generator.do({ type: 'load', workload, place, first: count, count: warmUp(count), atOnce });
  return { figures: await measured(context, count, () => generator.do({ type: 'load', workload, place, first: 0, count, atOnce })) };
}

async function apply(context: ApiContext): Promise<{ figures?: Figures; note?: string }> {
  await ensureConfigMaps(context);
  await context.generator.connect(context.target.access, 1);
  const { status } = await context.generator.request(
    {
      method: 'PATCH',
      path: `/api/v1/namespaces/${context.namespace}/configmaps/applied?fieldManager=bench`,
      contentType: 'application/apply-patch+yaml',
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"}}',
    },
    [415],
  );
  if (status === 415) return { note: 'not there yet' };
  return spread(context, { type: 'apply-config-maps', bytes: objectBytes }, 6000);
}

async function createPods(context: ApiContext): Promise<{ figures: Figures }> {
  const { generator, target, scale } = context;
  const count = Math.round(5000 * scale);
  const workload: Workload = { type: 'create-pods', schedulerName: nobody };
  const place: LoadPlace = { namespace: context.namespace, prefix: `p${unique()}-`, existing: 0 };
  await generator.connect(target.access, atOnce);
  await ensureServiceAccount(context);
  await generator.do({ type: 'load', workload, place, first: count, count: warmUp(count), atOnce });
  return { figures: await measured(context, count, () => generator.do({ type: 'load', workload, place, first: 0, count, atOnce })) };
}

/** One after another, a client alone. */
async function list(context: ApiContext): Promise<{ figures: Figures }> {
  const { generator, target, made, scale } = context;
  const namespace = `${context.namespace}-list`;
  await generator.connect(target.access, atOnce);
  if (!made.listed) {
    const place = placeOf(context, namespace);
    await plain(
      generator.do({ type: 'load', workload: { type: 'create-config-maps', bytes: listedBytes }, place, first: 0, count: listed, atOnce }),
    );
    made.listed = true;
  }
  const request = { method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps` } as const;
  await generator.do({ type: 'repeat', request, times: 3 });
  const times = Math.max(5, Math.round(30 * scale));
  const cpuBefore = target.cpuMs();
  const { timesMs } = await generator.do({ type: 'repeat', request, times });
  const cpuMs = cpuBefore === undefined ? undefined : ((target.cpuMs() ?? 0) - cpuBefore) / times;
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(times - 1, Math.floor(times * part))] ?? 0;
  return { figures: { ms: at(0.5), p99Ms: at(0.99), cpuMs, ...(await memoryFigures(target)) } };
}

/** Updates, 32 at once, in a namespace that 50 clients watch. Rate and CPU are per event that reached a watcher. */
async function watch(context: ApiContext): Promise<{ figures: Figures }> {
  const { generator, target, made, scale } = context;
  const namespace = `${context.namespace}-watch`;
  const place: LoadPlace = { ...placeOf(context, namespace), existing: watchedObjects };
  await generator.connect(target.access, atOnce);
  if (!made.watched) {
    const workload: Workload = { type: 'create-config-maps', bytes: objectBytes };
    await plain(generator.do({ type: 'load', workload, place, first: 0, count: watchedObjects, atOnce }));
    made.watched = true;
  }
  const { text } = await generator.request({ method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps?limit=1` });
  const revision = (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  const path = `/api/v1/namespaces/${namespace}/configmaps?watch=true&resourceVersion=${revision}`;
  await generator.do({ type: 'watch', name: 'crowd', path, watchers });
  const workload: Workload = { type: 'merge-patch-config-maps' };
  const count = Math.round(4000 * scale);
  const warm = warmUp(count);
  const timeoutMs = eventsTimeoutMs;
  await plain(generator.do({ type: 'load', workload, place, first: count, count: warm, atOnce }));
  await generator.do({ type: 'await-events', name: 'crowd', events: warm, timeoutMs });
  const usage = usageSince(context);
  const { startMs } = await plain(generator.do({ type: 'load', workload, place, first: 0, count, atOnce }));
  const { atMs } = await generator.do({ type: 'await-events', name: 'crowd', events: warm + count, timeoutMs });
  const delivered = count * watchers;
  const figures = {
    perSecond: (delivered / (atMs - startMs)) * 1000,
    ...usage(delivered, atMs - startMs),
    ...(await memoryFigures(target)),
  };
  await generator.do({ type: 'end-watches', name: 'crowd' });
  return { figures };
}

// --- what the cases share

export async function measured(context: ApiContext, count: number, work: () => Promise<LoadResult>): Promise<Figures> {
  const usage = usageSince(context);
  const { startMs, endMs, p50Ms, p99Ms } = await plain(work());
  const ms = endMs - startMs;
  return { perSecond: (count / ms) * 1000, p50Ms, p99Ms, ...usage(count, ms), ...(await memoryFigures(context.target)) };
}

/** Processor time from here on: the server's per 1,000, the load generator's share of the time. */
function usageSince({ target, generator }: ApiContext): (count: number, ms: number) => Figures {
  const before = { server: target.cpuMs(), client: generator.cpuMs() };
  return (count, ms) => {
    const now = target.cpuMs();
    const spentMs = now !== undefined && before.server !== undefined ? now - before.server : undefined;
    return {
      cpuMsPer1000: spentMs === undefined ? undefined : (spentMs / count) * 1000,
      clientPercent: ((generator.cpuMs() - before.client) / ms) * 100,
    };
  };
}

/** Failed requests are no figures. */
export async function plain(work: Promise<LoadResult>): Promise<LoadResult> {
  const result = await work;
  if (result.failures > 0) throw new Error(`${result.failures} requests failed, the first: ${result.firstFailure}`);
  return result;
}

export async function memoryFigures(target: Target): Promise<Figures> {
  return (await target.memory()) ?? {};
}

const warmUpMax = 3000;
export const warmUp = (count: number): number => Math.min(warmUpMax, Math.round(count / 5));

const placeOf = ({ made }: ApiContext, namespace: string): LoadPlace => ({ namespace, prefix: 'config-', existing: made.configMaps });

async function ensureConfigMaps(context: ApiContext): Promise<void> {
  if (context.made.configMaps > 0) return;
  const count = Math.round(5000 * context.scale);
  const workload: Workload = { type: 'create-config-maps', bytes: objectBytes };
  await context.generator.connect(context.target.access, atOnce);
  await plain(context.generator.do({ type: 'load', workload, place: placeOf(context, context.namespace), first: 0, count, atOnce }));
  context.made.configMaps = count;
}

export async function createNamespace({ generator }: Pick<ApiContext, 'generator'>, name: string): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await generator.request({ method: 'POST', path: '/api/v1/namespaces', body });
}

/** Where no controller makes it, pods can't be created without. */
async function ensureServiceAccount({ generator, namespace }: ApiContext): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  await generator.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body }, [409]);
}

/** Leaves nothing on a server that goes on. */
export async function removeNamespaces({ generator, target, namespace }: ApiContext): Promise<void> {
  await generator.connect(target.access, 1);
  for (const name of ['', '-list', '-records', '-watch'].map((suffix) => namespace + suffix)) {
    const path = `/api/v1/namespaces/${name}`;
    const body = JSON.stringify({ gracePeriodSeconds: 0 });
    for (const resource of ['configmaps', 'pods', 'serviceaccounts'])
      await generator.request({ method: 'DELETE', path: `${path}/${resource}`, body }, [404]);
    await generator.request({ method: 'DELETE', path }, [404]);
    // Where no controller finalizes it.
    const finalized = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } });
    await generator.request({ method: 'PUT', path: `${path}/finalize`, body: finalized }, [404, 409]);
  }
}

const unique = (): string => Math.round(performance.timeOrigin + performance.now()).toString(36);
