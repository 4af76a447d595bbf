/**
 * A kind that is added, changed and taken away while random clients use it. What holds at every moment:
 * a kind that is there is found, one that is not is not; no request fails in another way than clients know; lists show
 * what the store has; who lists and watches sees the same as who lists again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInRegistry } from '../../src/api/kinds/all.ts';
import { isStatusError } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { type Random, realClock, seededRandom } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { type ApiServer, createApiServer } from '../../src/control-plane/api-server/api-server.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import type { Storage } from '../../src/control-plane/store/storage.ts';
import { colorfulSchema, newWidget, plainSchema, type Widget, widgetKind, widgets } from '../kit/widgets.ts';

const Widgets = widgetKind();
const seeds = [1, 2, 3, 4];
const rounds = 12;
const clientCount = 8;
const names = ['a', 'b', 'c', 'd', 'e'];
const pathNotFound = 'the server could not find the requested resource';
/** as clients know them: who was slower, and a name that is there or is not */
const usual = new Set(['AlreadyExists', 'Conflict', 'NotFound']);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T;

/** Whether the kind is there; `changing` while that is not said. Each change counts. */
class Presence {
  state: 'there' | 'gone' | 'changing' = 'gone';
  changes = 0;

  async change<T>(to: 'there' | 'gone', work: Promise<T>): Promise<T> {
    this.state = 'changing';
    this.changes++;
    const done = await work;
    this.state = to;
    this.changes++;
    return done;
  }
}

/** What clients do until they are stopped. */
class Crowd {
  readonly #client: Client;
  readonly #presence: Presence;
  readonly #random: Random;
  readonly #running: Promise<void>[] = [];
  #isStopped = false;
  calls = 0;

  constructor(client: Client, presence: Presence, random: Random) {
    this.#client = client;
    this.#presence = presence;
    this.#random = random;
  }

  start(): void {
    this.#isStopped = false;
    for (let i = 0; i < clientCount; i++) this.#running.push(this.#run());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running.splice(0));
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#call();
      if (this.#random.next() < 0.3) await turn();
    }
  }

  /** One call, judged by what was there from its start to its end. */
  async #call(): Promise<void> {
    const { state, changes } = this.#presence;
    const failure = await this.#ask().then(
      () => undefined,
      (error: unknown) => error,
    );
    this.calls++;
    const isSure = state !== 'changing' && this.#presence.changes === changes;
    const isMissing = isStatusError(failure) && failure.message === pathNotFound;
    if (isSure) assert.equal(isMissing, state === 'gone', `${state}: ${String(failure)}`);
    if (failure) assert.ok(isStatusError(failure) && usual.has(failure.reason), `an unusual failure: ${String(failure)}`);
  }

  #ask(): Promise<unknown> {
    const at = { name: pick(this.#random, names), namespace: 'default' };
    const client = this.#client;
    const size = Math.floor(this.#random.next() * 1000);
    const changed = async (): Promise<unknown> => client.update(Widgets, { ...(await client.get(Widgets, at)), spec: { size } });
    const merge = { type: 'merge', body: { spec: { size } } } as const;
    return pick(this.#random, [
      () => client.create(Widgets, newWidget(at.name)),
      () => client.create(Widgets, newWidget(at.name)),
      () => client.get(Widgets, at),
      () => client.list(Widgets, { namespace: 'default' }),
      changed,
      () => client.patch(Widgets, at, merge),
      () => client.delete(Widgets, at),
    ])();
  }
}

/** Lists, and follows from there. */
class Onlooker {
  readonly seen = new Map<string, string>();
  readonly #awaited = new Map<string, () => void>();
  readonly end: Promise<unknown>;

  constructor(client: Client, resourceVersion: string, items: readonly Widget[]) {
    for (const item of items) this.#take(item);
    this.end = this.#follow(client, resourceVersion);
  }

  static async start(client: Client): Promise<Onlooker> {
    const { metadata, items } = await client.list(Widgets, { namespace: 'default' });
    return new Onlooker(client, metadata.resourceVersion ?? '', items);
  }

  sees(name: string): Promise<void> {
    if (this.seen.has(name)) return Promise.resolve();
    return new Promise((resolve) => this.#awaited.set(name, resolve));
  }

  async #follow(client: Client, resourceVersion: string): Promise<unknown> {
    try {
      for await (const event of client.watch(Widgets, { namespace: 'default', resourceVersion })) {
        if (event.type === 'BOOKMARK') continue;
        const name = event.object.metadata.name ?? '';
        if (event.type === 'DELETED') assert.ok(this.seen.delete(name), `${name} is told to be gone, and was not there`);
        else {
          assert.equal(this.seen.has(name), event.type === 'MODIFIED', `${event.type} ${name}`);
          this.#take(event.object);
        }
      }
    } catch (error) {
      return error;
    }
    return undefined;
  }

  #take({ metadata: { name = '', resourceVersion = '' } }: Widget): void {
    this.seen.set(name, resourceVersion);
    this.#awaited.get(name)?.();
  }
}

const versionsOf = (items: readonly Widget[]): ReadonlyMap<string, string> =>
  new Map(items.map(({ metadata }) => [metadata.name ?? '', metadata.resourceVersion ?? '']));

async function stored(storage: Storage): Promise<ReadonlyMap<string, string>> {
  const { items } = await storage.range({ prefix: '/registry/example.com/widgets/default/' });
  return new Map(items.map(({ key, revision }) => [key.slice(key.lastIndexOf('/') + 1), String(revision)]));
}

async function oneLife(server: ApiServer, storage: Storage, random: Random): Promise<number> {
  const { loopback: client, kinds } = server;
  const presence = new Presence();
  const crowd = new Crowd(client, presence, random);
  const put = (): Promise<void> => {
    const schema = pick(random, [plainSchema, colorfulSchema]);
    const second = random.next() < 0.5 ? [widgetKind({ schema, version: 'v1beta1' })] : [];
    return kinds.put(widgets(widgetKind({ schema }), ...second));
  };
  const somethingHappens = async (): Promise<void> => {
    for (let turns = Math.ceil(random.next() * 10); turns > 0; turns--) await turn();
  };
  crowd.start();
  for (let round = 0; round < rounds; round++) {
    await presence.change('there', put());
    const early = await Onlooker.start(client);
    await somethingHappens();
    if (random.next() < 0.7) {
      await put(); // another schema, another version: it is there all the time
      assert.match(String(await early.end), /the server has ended the watch/);
    }
    const onlooker = await Onlooker.start(client);
    await somethingHappens();
    await crowd.stop();
    const { metadata } = await client.create(Widgets, newWidget(`last-${round}`));
    await onlooker.sees(metadata.name ?? '');
    const { items } = await client.list(Widgets, { namespace: 'default' });
    assert.deepEqual(new Map([...onlooker.seen].sort()), versionsOf(items));
    assert.deepEqual(versionsOf(items), await stored(storage));
    crowd.start();
    await somethingHappens();
    await presence.change('gone', kinds.remove(Widgets));
    assert.match(String(await onlooker.end), /the server has ended the watch/);
    await early.end;
    await somethingHappens();
  }
  await crowd.stop();
  const left = await stored(storage);
  await presence.change('there', put());
  assert.deepEqual(versionsOf((await client.list(Widgets, { namespace: 'default' })).items), left, 'what was left is served again');
  return crowd.calls;
}

for (const seed of seeds) {
  test(`a kind comes, changes and goes under load: ${seed}`, async () => {
    await using storage = openMemoryStore({ clock: realClock });
    const random = seededRandom(seed);
    await using server = await createApiServer({ storage, registry: builtInRegistry(), clock: realClock, random, log: silentLog });
    assert.ok((await oneLife(server, storage, random)) > 500);
  });
}
