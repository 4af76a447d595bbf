/**
 * What one client can do to another: while the worst requests that are known are sent in turn, and others that a search
 * makes up, a second client sends small gets without a pause. The figures are the longest that one of those waited, and
 * the processor time of the longest turn of the server's event loop, which other programs of the machine do not lengthen.
 */
import { builtInKinds } from '../src/api/kinds/all.ts';
import type { Kind } from '../src/api/meta/kind.ts';
import { apiVersionOf } from '../src/api/meta/object.ts';
import { encodeEnveloped, encodeMessage, type TypeMeta } from '../src/api/schema/encode-protobuf.ts';
import { writeYaml } from '../src/api/schema/yaml/write-yaml.ts';
import { amplify, placesOf, styles } from './amplified-bodies.ts';
import { type Connection, type LoadRequest, openHTTP1 } from './connections.ts';
import type { Row } from './figures.ts';
import { Generator } from './generator.ts';
import { configMap } from './objects.ts';
import { type OwnContext, OwnServer } from './own-server.ts';
import {
  bodyBytes,
  large,
  largeConfigMap,
  listed,
  listedBytes,
  many,
  ownerList,
  owners,
  target,
  worstNamespace,
  worstRequests,
} from './worst-requests.ts';

const rounds = 3;
const searchedBodies = 300;
const seed = 20_261_128;
const quietMs = 2000;
const searchName = 'the worst of';
const failing = 400;
const namespacePath = `/api/v1/namespaces/${worstNamespace}`;

export async function measureWorst(context: OwnContext): Promise<Row[]> {
  await using server = await OwnServer.start({ dir: context.dir, name: 'worst' });
  using generator = new Generator();
  await generator.connect(server.access, 1);
  await prepare(generator);
  await generator.do({ type: 'probe', request: { method: 'GET', path: `${namespacePath}/configmaps/quick` } });
  const victim = new Victim(generator, server, await Promise.all(Array.from({ length: many }, () => openHTTP1(server.access))));
  const rows = [await victim.quiet()];
  const isWanted = (name: string): boolean => context.rows.length === 0 || context.rows.some((text) => name.includes(text));
  const wanted = worstRequests.filter(({ name }) => isWanted(name));
  await context.profiled(server, 'worst', async () => {
    for (const { name, make, atOnce } of wanted)
      rows.push(await victim.suffer(name, make(), { times: context.quick ? 1 : rounds, atOnce }));
  });
  if (isWanted(searchName)) rows.push(await search(victim, context.quick ? searchedBodies / 5 : searchedBodies));
  await generator.do({ type: 'end-probe' });
  victim.close();
  return rows;
}

async function prepare(generator: Generator): Promise<void> {
  const post = (path: string, object: object): Promise<unknown> =>
    generator.request({ method: 'POST', path, body: JSON.stringify(object) });
  await post('/api/v1/namespaces', { metadata: { name: worstNamespace } });
  await post(`${namespacePath}/configmaps`, { metadata: { name: 'quick' }, data: { a: 'b' } });
  await post(`${namespacePath}/configmaps`, { metadata: { name: target, ownerReferences: ownerList(owners) } });
  await generator.request({ method: 'POST', path: `${namespacePath}/configmaps`, body: largeConfigMap(large) });
  for (const base of bases) {
    const kind = builtInKinds.find((each) => each.kind === base.kind && isBase(each));
    if (kind) await post(pathOf(kind, { namespace: worstNamespace, query: '' }), { ...base, metadata: { name: 'x' } });
  }
  for (let i = 0; i < listed; i++) await post(`${namespacePath}/configmaps`, configMap(`listed-${i}`, listedBytes, i));
}

class Victim {
  readonly #generator: Generator;
  readonly #server: OwnServer;
  readonly #attackers: readonly Connection[];

  constructor(generator: Generator, server: OwnServer, attackers: readonly Connection[]) {
    this.#generator = generator;
    this.#server = server;
    this.#attackers = attackers;
  }

  close(): void {
    for (const attacker of this.#attackers) attacker.close();
  }

  /** What it waits for when nobody does anything. */
  async quiet(): Promise<Row> {
    await this.#lap();
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, quietMs);
    await promise;
    return { group: 'worst', name: 'nothing at all, for two seconds', ours: await this.#lap() };
  }

  async suffer(
    name: string,
    request: LoadRequest,
    { times = 1, atOnce = 1 }: { readonly times?: number | undefined; readonly atOnce?: number | undefined } = {},
  ): Promise<Row> {
    await this.#lap();
    let longest = { turnMs: 0, waitMs: 0 };
    let answer = '';
    const cpuBefore = this.#server.cpuMs();
    for (let i = 0; i < times; i++) {
      const answers = await Promise.all(this.#attackers.slice(0, atOnce).map((attacker) => attacker.send(request)));
      const status = Math.max(...answers.map((given) => given.status));
      answer = status < failing ? '' : ` (${status})`;
      const { turnMs, waitMs } = await this.#lap();
      longest = { turnMs: Math.max(longest.turnMs, turnMs), waitMs: Math.max(longest.waitMs, waitMs) };
    }
    const cpuMs = (this.#server.cpuMs() - cpuBefore) / times;
    return { group: 'worst', name: `${name}${answer}`, ours: { ...longest, cpuMs } };
  }

  async #lap(): Promise<{ readonly turnMs: number; readonly waitMs: number }> {
    const { longestMs: waitMs } = await this.#generator.do({ type: 'probe-lap' });
    return { turnMs: await this.#server.longestTurnMs(), waitMs };
  }
}

/** What an answer may be wanted as, and a query that goes with it. */
const wishes: readonly { readonly as: string; readonly accept?: string; readonly query?: string }[] = [
  { as: 'JSON' },
  { as: 'indented JSON', query: '&pretty=true' },
  { as: 'YAML', accept: 'application/yaml' },
  { as: 'protobuf', accept: 'application/vnd.kubernetes.protobuf' },
  { as: 'a table', accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', query: '&includeObject=Object' },
  { as: 'metadata', accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
  { as: 'JSON, strictly', query: '&fieldValidation=Strict' },
];

/** How a body is sent: what it becomes, and by which verb; `base`: onto an object that is there. */
interface Way {
  readonly as: string;
  readonly method: LoadRequest['method'];
  readonly contentType: string;
  readonly base?: boolean;
  encode(body: string, kind: Kind): string | Uint8Array;
}

const same = (body: string): string => body;
const parsed = (body: string): TypeMeta => JSON.parse(body) as TypeMeta;
const ways: readonly Way[] = [
  { as: 'JSON', method: 'POST', contentType: 'application/json', encode: same },
  { as: 'YAML in one line', method: 'POST', contentType: 'application/yaml', encode: same },
  { as: 'YAML', method: 'POST', contentType: 'application/yaml', encode: (body) => writeYaml(parsed(body)) },
  {
    as: 'protobuf',
    method: 'POST',
    contentType: 'application/vnd.kubernetes.protobuf',
    encode: (body, kind) => {
      const object: TypeMeta = { ...parsed(body), apiVersion: apiVersionOf(kind), kind: kind.kind };
      return encodeEnveloped(object, encodeMessage(object));
    },
  },
  { as: 'an update', method: 'PUT', contentType: 'application/json', base: true, encode: same },
  { as: 'a merge patch', method: 'PATCH', contentType: 'application/merge-patch+json', base: true, encode: same },
  {
    as: 'a strategic merge patch',
    method: 'PATCH',
    contentType: 'application/strategic-merge-patch+json',
    base: true,
    encode: same,
  },
  {
    as: 'a JSON patch',
    method: 'PATCH',
    contentType: 'application/json-patch+json',
    base: true,
    encode: (body) => JSON.stringify(Object.entries(parsed(body)).map(([field, value]) => ({ op: 'add', path: `/${field}`, value }))),
  },
];

/** Objects that are there to be changed, of kinds that hold much. */
const bases: readonly (TypeMeta & Record<string, unknown>)[] = [
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'Endpoints' },
  { apiVersion: 'v1', kind: 'LimitRange', spec: { limits: [] } },
  { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'c', image: 'i' }] } },
  { apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 1 }] } },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', spec: { podSelector: {} } },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', endpoints: [] },
];
const isBase = ({ group, version, kind }: Kind): boolean =>
  bases.some((base) => base.kind === kind && base.apiVersion === (group ? `${group}/${version}` : version));

/**
 * Bodies of all kinds, each filled in one place, sent in every way and answered in all forms: the worst of a seeded sample.
 */
async function search(victim: Victim, count: number): Promise<Row> {
  const kinds = builtInKinds.filter(({ verbs, version }) => verbs.includes('create') && /^v\d+$/.test(version));
  const bodies = kinds.flatMap(placesOf).flatMap((place) => styles.map((style) => ({ place, style })));
  const changing = bodies.filter(({ place }) => isBase(place.kind));
  const random = randomFrom(seed);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let worst: Row | undefined;
  for (let i = 0; i < count; i++) {
    const way = oneOf(ways);
    const { place, style } = oneOf(way.base ? changing : bodies);
    const { name, body } = amplify(place, style, bodyBytes);
    const wish = oneOf(wishes);
    const row = await victim.suffer(`${name}, as ${way.as}, answered as ${wish.as}`, {
      method: way.method,
      path: pathOf(place.kind, { ...(way.base && { namespace: worstNamespace, name: 'x' }), query: `dryRun=All${wish.query ?? ''}` }),
      contentType: way.contentType,
      accept: wish.accept,
      body: way.encode(way.base ? body.replace('"namespace":"default"', `"namespace":"${worstNamespace}"`) : body, place.kind),
    });
    if ((row.ours?.turnMs ?? 0) > (worst?.ours?.turnMs ?? 0)) worst = row;
  }
  return {
    group: 'worst',
    name: `${searchName} ${count} bodies among ${bodies.length.toLocaleString('en')}: ${worst?.name}`,
    ours: worst?.ours,
  };
}

interface Place {
  readonly namespace?: string;
  readonly name?: string;
  readonly query: string;
}

function pathOf({ group, version, resource, namespaced }: Kind, { namespace = 'default', name, query }: Place): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}${namespaced ? `/namespaces/${namespace}` : ''}/${resource}${name ? `/${name}` : ''}?${query}`;
}

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
