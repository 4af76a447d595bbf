/**
 * What a custom resource costs beside a ConfigMap of equal size: the same requests in turns to one and the other, so that
 * what disturbs the machine disturbs both. The figures are the custom resource's.
 */
import { type ApiCase, type ApiContext, atOnce, listedBytes, measured, objectBytes, plain, warmUp } from './api-cases.ts';
import type { FigureName, Figures } from './figures.ts';
import { configMapsPath, type LoadPlace, recordDefinition, recordsPath, type Workload } from './objects.ts';

const rounds = 4;
/** objects of each sort that the other requests are spread over */
const objects = 5000;
const listed = 1000;
const lists = 100;

const workloads: readonly { readonly name: string; readonly title: string; readonly workload: Workload; readonly full: number }[] = [
  {
    name: 'create-custom',
    title: 'create a custom resource of 1.5 kB',
    workload: { type: 'create-config-maps', bytes: objectBytes },
    full: 15_000,
  },
  { name: 'get-custom', title: 'get it', workload: { type: 'get-config-maps' }, full: 40_000 },
  { name: 'update-custom', title: 'update it', workload: { type: 'update-config-maps', bytes: objectBytes }, full: 10_000 },
  { name: 'patch-custom', title: 'merge patch it', workload: { type: 'merge-patch-config-maps' }, full: 10_000 },
  { name: 'apply-custom', title: 'apply it (server-side)', workload: { type: 'apply-config-maps', bytes: objectBytes }, full: 6000 },
];

export const customCases: readonly ApiCase[] = [
  ...workloads.map(({ name, title, workload, full }): ApiCase => {
    const run = (context: ApiContext): Promise<{ figures: Figures }> => loadInTurns(context, workload, full);
    return { name, title, group: 'custom', run };
  }),
  { name: 'list-custom', title: `list ${listed.toLocaleString('en')} of them, of ${listedBytes / 1000} kB`, group: 'custom', run: list },
];

type Measure = (round: number) => Promise<Figures>;

/** Both measured in turns, the mean of each. */
async function inTurns(custom: Measure, builtIn: Measure, cpu: FigureName): Promise<{ figures: Figures }> {
  const ours: Figures[] = [];
  const beside: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    beside.push(await builtIn(round));
    ours.push(await custom(round));
  }
  const figures = meanOf(ours);
  const [mine, its] = [figures[cpu], meanOf(beside)[cpu]];
  return { figures: { ...figures, timesBuiltIn: mine !== undefined && its ? mine / its : undefined } };
}

function meanOf(all: readonly Figures[]): Figures {
  const mean: Figures = {};
  for (const name of Object.keys(all[0] ?? {}) as FigureName[]) {
    const values = all.flatMap((figures) => figures[name] ?? []);
    mean[name] = values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
  }
  return mean;
}

async function loadInTurns(context: ApiContext, workload: Workload, full: number): Promise<{ figures: Figures }> {
  const { generator, target, scale } = context;
  await ensureObjects(context);
  await generator.connect(target.access, atOnce);
  const count = Math.round((full * scale) / rounds);
  const isCreate = workload.type === 'create-config-maps';
  const isUpdate = workload.type === 'update-config-maps';
  const load = (custom: boolean): Measure => {
    const place = placeOf(context, custom);
    return async (round) => {
      // Other names each time, and apart from what is there.
      const first = isCreate ? context.made.records + round * count : round * count;
      const named = isUpdate ? { ...place, revisions: await revisionsAt(context, place) } : place;
      return measured(context, count, () => generator.do({ type: 'load', workload, place: named, first, count, atOnce }));
    };
  };
  const warm = warmUp(Math.round(full * scale));
  for (const custom of [false, true]) {
    const place = placeOf(context, custom);
    const first = isCreate ? context.made.records : full;
    const named = isUpdate ? { ...place, revisions: await revisionsAt(context, place) } : place;
    await plain(generator.do({ type: 'load', workload, place: named, first, count: warm, atOnce }));
  }
  if (isCreate) context.made.records += warm;
  const result = await inTurns(load(true), load(false), 'cpuMsPer1000');
  if (isCreate) context.made.records += rounds * count;
  return result;
}

async function list(context: ApiContext): Promise<{ figures: Figures }> {
  const { generator, target, made, scale } = context;
  await ensureObjects(context);
  await generator.connect(target.access, atOnce);
  const namespace = `${context.namespace}-records`;
  if (!made.recordsListed) {
    for (const custom of [false, true]) {
      const place: LoadPlace = { ...placeOf(context, custom), namespace, prefix: 'listed-' };
      const workload: Workload = { type: 'create-config-maps', bytes: listedBytes };
      await plain(generator.do({ type: 'load', workload, place, first: 0, count: listed, atOnce }));
    }
    made.recordsListed = true;
  }
  const times = Math.max(rounds, Math.round((lists * scale) / rounds));
  const repeat = (path: string): Measure => {
    const request = { method: 'GET', path: path } as const;
    return async () => {
      const cpuBefore = target.cpuMs();
      const { timesMs } = await generator.do({ type: 'repeat', request, times });
      const cpuMs = cpuBefore === undefined ? undefined : ((target.cpuMs() ?? 0) - cpuBefore) / times;
      return { ms: timesMs.toSorted((a, b) => a - b)[Math.floor(times / 2)], cpuMs };
    };
  };
  const both = [repeat(recordsPath(namespace)), repeat(configMapsPath(namespace))] as const;
  for (const one of both) await one(0);
  return inTurns(...both, 'cpuMs');
}

/** A custom resource is not updated without one. */
async function revisionsAt({ generator }: ApiContext, { namespace, custom }: LoadPlace): Promise<Readonly<Record<string, string>>> {
  const path = (custom ? recordsPath : configMapsPath)(namespace);
  const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
  const { text } = await generator.request({ method: 'GET', path, accept });
  const { items } = JSON.parse(text) as { items: readonly { metadata: { name: string; resourceVersion: string } }[] };
  return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

const placeOf = ({ namespace, made }: ApiContext, custom: boolean): LoadPlace => ({
  namespace,
  prefix: 'beside-',
  existing: made.records,
  custom,
});

/** As many of each. */
async function ensureObjects(context: ApiContext): Promise<void> {
  const { generator, target, scale, made } = context;
  if (made.records > 0) return;
  await ensureServed(context);
  await generator.connect(target.access, atOnce);
  const count = Math.round(objects * scale);
  const workload: Workload = { type: 'create-config-maps', bytes: objectBytes };
  for (const custom of [false, true])
    await plain(generator.do({ type: 'load', workload, place: placeOf(context, custom), first: 0, count, atOnce }));
  made.records = count;
}

async function ensureServed({ generator, target, namespace }: ApiContext): Promise<void> {
  await generator.connect(target.access, 1);
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await generator.request({ method: 'POST', path, body: JSON.stringify(recordDefinition) }, [409]);
  for (let tries = 0; tries < servedTriesMax; tries++) {
    const { status } = await generator.request({ method: 'GET', path: `${recordsPath(namespace)}?limit=1` }, [404]);
    if (status === 200) return;
  }
  throw new Error('custom resources are not served');
}
const servedTriesMax = 10_000;
