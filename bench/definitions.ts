/**
 * CustomResourceDefinitions by the thousand, as large as big operators bring them (up to 1 MB): what it costs to create
 * them, to have them, to start with them, and how soon a change of one is seen in discovery and OpenAPI.
 */
import assert from 'node:assert/strict';
import type { JSONSchemaProps } from '../src/api/generated/apiextensions-v1.ts';
import { type Connection, openHTTP1 } from './connections.ts';
import type { Figures, Row } from './figures.ts';
import { Generator } from './generator.ts';
import { type OwnContext, OwnServer } from './own-server.ts';

const definitions = 1000;
/** Of ten in turn: most are small, a few are as large as those that hold a whole pod's fields several times. */
const sizes = [8, 12, 20, 30, 50, 80, 150, 300, 600, 1000].map((kilobytes) => kilobytes * 1000);
const group = 'bench.example.com';
const createdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const settleMs = 5000;

export async function measureDefinitions({ dir, quick, profiled }: OwnContext): Promise<Row[]> {
  const count = quick ? definitions / 10 : definitions;
  const rows: Row[] = [];
  const tell = (name: string, ours: Figures): void => void rows.push({ group: 'definitions', name, ours });
  const options = { dir, name: 'definitions', keepData: true };
  let without: Started;
  {
    await using first = await OwnServer.start(options);
    await first.memory();
  }
  {
    await using server = await OwnServer.start(options);
    without = await startedOf(server);
    const load = await profiled(server, 'definitions', () => createAll(server, count));
    tell(`${count.toLocaleString('en')} definitions, ${Math.round(load.bytes / 1e6)} MB: create them, one after the other`, load.figures);
  }
  {
    await using server = await OwnServer.start(options);
    const started = await startedOf(server);
    tell('start without them: the API answers', { ms: without.ms, anonymousMB: without.anonymousMB });
    tell('start with them: the API answers', { ms: started.ms, anonymousMB: started.anonymousMB });
    tell('one of them, unused', { eachKB: ((started.anonymousMB - without.anonymousMB) * 1024) / count });
  }
  await using server = await OwnServer.start({ ...options, keepData: false });
  for (const [name, figures] of await profiled(server, 'definitions-change', () => changeOne(server, count))) tell(name, figures);
  return rows;
}

interface Started {
  readonly ms: number;
  readonly anonymousMB: number;
}

/** After what it does once it answers. */
async function startedOf(server: OwnServer): Promise<Started> {
  await pause(settleMs);
  const { anonymousMB = 0 } = await server.memory();
  return { ms: server.phasesMs.get('api-server') ?? 0, anonymousMB };
}

/** Somebody creates them, and another gets a small object meanwhile, again and again. */
async function createAll(server: OwnServer, count: number): Promise<{ readonly bytes: number; readonly figures: Figures }> {
  const client = await openHTTP1(server.access);
  using victim = await Victim.of(server);
  const cpuBefore = server.cpuMs();
  const startMs = performance.now();
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const body = JSON.stringify(definition(i));
    bytes += body.length;
    await plain(client, { method: 'POST', path: createdPath, body });
  }
  const ms = performance.now() - startMs;
  await whenServed(client, count - 1);
  const figures = { perSecond: (count / ms) * 1000, cpuMsPer1000: ((server.cpuMs() - cpuBefore) / count) * 1000, ...(await victim.lap()) };
  client.close();
  return { bytes, figures };
}

/** One of the middle has another field. */
async function changeOne(server: OwnServer, count: number): Promise<readonly (readonly [string, Figures])[]> {
  const client = await openHTTP1(server.access);
  using victim = await Victim.of(server);
  const path = `${createdPath}/${nameOf(count / 2)}.${group}`;
  const told: [string, Figures][] = [];
  const changed = versionOf(count / 2);
  const read = async (from: string, accept?: string): Promise<string> =>
    (await plain(client, { method: 'GET', path: from, accept }, true)).text;
  const urls = async (): Promise<Readonly<Record<string, { serverRelativeURL: string }>>> => JSON.parse(await read('/openapi/v3')).paths;
  const views: readonly { readonly name: string; readonly shows: (word: string) => Promise<boolean> }[] = [
    {
      name: 'discovery',
      shows: async (word) =>
        (await read('/apis', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')).includes(`"${word}"`),
    },
    {
      name: 'OpenAPI v3',
      shows: async (word) => {
        const { serverRelativeURL = '' } = (await urls())[`apis/${group}/${changed}`] ?? {};
        return (await read(serverRelativeURL)).includes(`"${word}"`);
      },
    },
    { name: 'OpenAPI v2', shows: async (word) => (await read('/openapi/v2')).includes(`"${word}"`) },
  ];
  for (const { name, shows } of views) {
    // The first time all is made that there is.
    const firstMs = performance.now();
    assert.equal(await shows(`none-${name}`), false);
    told.push([`${name}, made for the first time`, { ms: performance.now() - firstMs, ...(await victim.lap()) }]);
    const before = await urls();
    const word = `seen-in-${name.toLowerCase().replace(' ', '-')}`;
    const patch = {
      metadata: { annotations: { word } },
      spec: { names: { shortNames: [word] }, versions: [{ ...definition(count / 2, word).spec.versions[0] }] },
    };
    await victim.lap();
    const cpuBefore = server.cpuMs();
    const startMs = performance.now();
    await plain(client, { method: 'PATCH', path, body: JSON.stringify(patch), contentType: 'application/merge-patch+json' });
    while (!(await shows(word))) if (performance.now() - startMs > seenMsMax) throw new Error(`${name} does not show a change`);
    const figures = { ms: performance.now() - startMs, cpuMs: server.cpuMs() - cpuBefore, ...(await victim.lap()) };
    const after = await urls();
    const others = Object.keys(before).filter((key) => before[key]?.serverRelativeURL !== after[key]?.serverRelativeURL);
    assert.deepEqual(others, [`apis/${group}/${changed}`], 'what else is made anew');
    told.push([`a change is seen in ${name}`, figures]);
  }
  client.close();
  return told;
}
const seenMsMax = 60_000;

async function plain(client: Connection, request: Parameters<Connection['send']>[0], keepText = false): Promise<{ text: string }> {
  const answer = await client.send(request, keepText);
  if (answer.status >= 400) throw new Error(`${request.method} ${request.path}: ${answer.status} ${answer.text.slice(0, 2000)}`);
  return answer;
}

async function whenServed(client: Connection, i: number): Promise<void> {
  const path = `/apis/${group}/${versionOf(i)}/${nameOf(i)}?limit=1`;
  for (let tries = 0; tries < triesMax; tries++) if ((await client.send({ method: 'GET', path })).status === 200) return;
  throw new Error(`${path} is not served`);
}
const triesMax = 10_000;

/** Who waits meanwhile. */
class Victim implements Disposable {
  readonly #server: OwnServer;
  readonly #generator: Generator;
  private constructor(server: OwnServer, generator: Generator) {
    this.#server = server;
    this.#generator = generator;
  }

  static async of(server: OwnServer): Promise<Victim> {
    const generator = new Generator();
    await generator.connect(server.access, 1);
    await generator.do({ type: 'probe', request: { method: 'GET', path: '/api/v1/namespaces/default' } });
    const victim = new Victim(server, generator);
    await victim.lap();
    return victim;
  }

  async lap(): Promise<Figures> {
    const { longestMs: waitMs } = await this.#generator.do({ type: 'probe-lap' });
    return { turnMs: await this.#server.longestTurnMs(), waitMs };
  }

  [Symbol.dispose](): void {
    this.#generator[Symbol.dispose]();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

// --- what is defined

const nameOf = (i: number): string => `things${i}`;
/** Some share a version of the group, as those of one operator do. */
const versionOf = (i: number): string => `v${1 + (i % 100)}`;

/** `word`: a field that no other has. */
function definition(i: number, word = 'plain') {
  const bytes = sizes[i % sizes.length] ?? 0;
  const spec = schemaOf(bytes, i);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${nameOf(i)}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: nameOf(i), kind: `Thing${i}` },
      versions: [
        {
          name: versionOf(i),
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, [word]: { type: 'string' } } } },
        },
      ],
    },
  };
}

/** Fields as controller-gen writes them, section after section, until there are as many bytes. */
function schemaOf(bytes: number, seed: number): JSONSchemaProps {
  const properties: Record<string, JSONSchemaProps> = {};
  for (let made = 0, i = 0; made < bytes; i++) {
    const one = section(seed * 31 + i, 3);
    properties[`section${i}`] = one;
    made += JSON.stringify(one).length;
  }
  return { type: 'object', properties };
}

const sentence =
  'It says what the controller does with the part of the pod that this field is about, as the API reference has it; when it is empty, the default of the operator is taken. ';

function section(seed: number, depth: number): JSONSchemaProps {
  const description = sentence.repeat(1 + (seed % 3));
  if (depth === 0) {
    const leaves: readonly JSONSchemaProps[] = [
      { type: 'string', description },
      { type: 'string', description, pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?)$' },
      { type: 'integer', format: 'int32', minimum: 0, description },
      { type: 'string', enum: ['Always', 'IfNotPresent', 'Never', ''], description },
      { description, anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
      { type: 'boolean', default: false, description },
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic', description },
    ];
    return leaves[seed % leaves.length] ?? { type: 'string' };
  }
  const fields = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`field${i}`, section(seed * 7 + i, depth - 1)]));
  const object: JSONSchemaProps = { type: 'object', description, properties: { name: { type: 'string' }, ...fields }, required: ['name'] };
  if (seed % 3 !== 0) return object;
  return { type: 'array', description, items: object, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
}
