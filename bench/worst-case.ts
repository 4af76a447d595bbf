/**
 * What one client can do to another: while the worst requests that are known are sent in turn, and others that a search
 * makes up, a second client sends small gets without a pause. The figures are the longest that one of those waited, and
 * the processor time of the longest turn of the server's event loop, which other programs of the machine do not lengthen.
 */
import { builtInKinds } from '../src/api/kinds/all.ts';
import type { Kind } from '../src/api/meta/kind.ts';
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
  for (const { name, make, atOnce } of worstRequests)
    rows.push(await victim.suffer(name, make(), { times: context.quick ? 1 : rounds, atOnce }));
  rows.push(await search(victim, context.quick ? searchedBodies / 5 : searchedBodies));
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
];

/**
 * Bodies of all kinds, each filled in one place, as JSON or YAML (which any JSON is), answered in all forms: the worst of a
 * seeded sample.
 */
async function search(victim: Victim, count: number): Promise<Row> {
  const kinds = builtInKinds.filter(({ verbs, version }) => verbs.includes('create') && /^v\d+$/.test(version));
  const bodies = kinds.flatMap(placesOf).flatMap((place) => styles.map((style) => ({ place, style })));
  const random = randomFrom(seed);
  let worst: Row | undefined;
  for (let i = 0; i < count; i++) {
    const chosen = bodies[Math.floor(random() * bodies.length)];
    if (!chosen) break;
    const { name, body } = amplify(chosen.place, chosen.style, bodyBytes);
    const isYaml = random() < 0.2;
    const wish = wishes[Math.floor(random() * wishes.length)] ?? { as: 'JSON' };
    const row = await victim.suffer(`${name}, as ${isYaml ? 'YAML' : 'JSON'}, answered as ${wish.as}`, {
      method: 'POST',
      path: pathOf(chosen.place.kind) + (wish.query ?? ''),
      contentType: isYaml ? 'application/yaml' : 'application/json',
      accept: wish.accept,
      body,
    });
    if ((row.ours?.turnMs ?? 0) > (worst?.ours?.turnMs ?? 0)) worst = row;
  }
  return {
    group: 'worst',
    name: `the worst of ${count} bodies among ${bodies.length.toLocaleString('en')}: ${worst?.name}`,
    ours: worst?.ours,
  };
}

const pathOf = ({ group, version, resource, namespaced }: Kind): string =>
  `${group ? `/apis/${group}/${version}` : `/api/${version}`}${namespaced ? '/namespaces/default' : ''}/${resource}?dryRun=All`;

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
