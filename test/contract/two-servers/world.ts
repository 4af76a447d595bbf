/**
 * Two API servers in one process on one store, and what clients that race on both of them share: a seed, both servers'
 * clients, what was refused, and the promise that is checked after every write: the other server shows it.
 */
import assert from 'node:assert/strict';
import type { KindRef, KubeObject, ObjectName } from '../../../src/api/meta/object.ts';
import { isNotFound, isStatusError } from '../../../src/api/meta/status-error.ts';
import type { Client } from '../../../src/client/client.ts';
import { type Random, seededRandom } from '../../../src/client/clock.ts';
import type { Storage } from '../../../src/control-plane/store/storage.ts';
import { startGuardedServer } from '../../kit/guarded-server.ts';
import { RemoteStorage } from '../../kit/remote-storage.ts';

/** Small, so that clients meet. */
export const serviceCIDRs = ['10.96.0.0/28', '2001:db8::/124'];
export const nodePortRange = { from: 30000, to: 30008 };

export interface World extends AsyncDisposable {
  /** The same world for one of many clients: what it decides does not hang on the others. */
  as(client: number): World;
  readonly clients: readonly [Client, Client];
  /** one server's client, and the other's */
  pick(): { readonly here: Client; readonly there: Client };
  /** a number below */
  below(limit: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

export interface WorldOptions {
  readonly seed: number;
  /** the second server learns late, and by asking, what the first has written */
  readonly lags: boolean;
  /** the caller's to close */
  readonly storage: Storage;
  /** the same as the second server has it; default: the very same */
  readonly second?: Storage;
}

export async function startWorld({ seed, lags, storage, second = storage }: WorldOptions): Promise<World> {
  const stack = new AsyncDisposableStack();
  const remote = new RemoteStorage(second, { asks: true });
  const start = async (of: Storage, own: number): Promise<Client> => {
    const config = { serviceCIDRs, nodePortRange };
    const server = stack.use(await startGuardedServer({ storage: of, random: seededRandom(own), config }));
    return server.admin;
  };
  const clients = [await start(storage, seed + 1), await start(lags ? remote : second, seed + 2)] as const;
  if (lags) stack.use(delaying(remote, seededRandom(seed + 3)));
  return worldOf(clients, seed, () => stack.disposeAsync());
}

function worldOf(clients: World['clients'], seed: number, dispose: () => Promise<void>): World {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return {
    clients,
    below,
    as: (client) => worldOf(clients, seed * 1000 + client, dispose),
    pick() {
      const first = below(2);
      return { here: clients[first ? 1 : 0], there: clients[first ? 0 : 1] };
    },
    oneOf(choices) {
      const choice = choices[below(choices.length)];
      assert.ok(choice !== undefined);
      return choice;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

const turnsHeldMax = 6;

/** Events come in fits and starts until it is disposed. */
function delaying(storage: RemoteStorage, random: Random): AsyncDisposable {
  let isOver = false;
  const turns = async (): Promise<void> => {
    for (let left = Math.floor(random.next() * turnsHeldMax); left >= 0; left--) await new Promise(setImmediate);
  };
  const running = (async () => {
    while (!isOver) {
      storage.hold();
      await turns();
      storage.release();
      await turns();
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await running;
    },
  };
}

/** Of the refusals that a write may meet, those that some write has met. */
export const met = new Set<string>();

/** What a write came to; undefined: it was refused, and with one of these words. Anything else fails the test. */
export async function attempt<T>(write: Promise<T>, ...mayBe: readonly RegExp[]): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    const words = `${error.code} ${error.reason}: ${error.message}`;
    const reason = mayBe.find((each) => each.test(words));
    if (!reason) assert.fail(`refused with: ${words}`);
    met.add(reason.source);
    return undefined;
  }
}

const nameOf = ({ metadata: { name = '', namespace } }: KubeObject): ObjectName => ({ name, ...(namespace && { namespace }) });

/** Nobody else writes to this object: the other server shows just this, however it is asked. */
export async function expectSeen<T extends KubeObject>(world: World, there: Client, kind: KindRef<T>, object: T): Promise<void> {
  const at = nameOf(object);
  const wanted = object.metadata.resourceVersion;
  const how = world.oneOf(['get', 'list', 'watch'] as const);
  if (how === 'get') {
    assert.equal((await there.get(kind, at)).metadata.resourceVersion, wanted, 'a get on the other server');
    return;
  }
  const selection = { fieldSelector: `metadata.name=${at.name}`, ...(at.namespace && { namespace: at.namespace }) };
  if (how === 'list') {
    const { items } = await there.list(kind, selection);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.resourceVersion),
      [wanted],
      'a list on the other server',
    );
    return;
  }
  for await (const event of there.watch(kind, { ...selection, timeoutSeconds: 10 })) {
    assert.equal(`${event.type} ${event.object.metadata.resourceVersion}`, `ADDED ${wanted}`, 'a watch on the other server');
    return;
  }
  assert.fail('a watch on the other server ended');
}

/** The other server tells of a change of `old` what became of it. */
export async function expectTold<T extends KubeObject>(there: Client, kind: KindRef<T>, old: T, want: T | 'DELETED'): Promise<void> {
  const { name, namespace } = nameOf(old);
  const selection = { fieldSelector: `metadata.name=${name}`, ...(namespace && { namespace }) };
  const resourceVersion = old.metadata.resourceVersion ?? '';
  for await (const { type, object } of there.watch(kind, { ...selection, resourceVersion, timeoutSeconds: 10 })) {
    if (want === 'DELETED') assert.equal(type, 'DELETED');
    else assert.deepEqual([type, object.metadata.resourceVersion], ['MODIFIED', want.metadata.resourceVersion]);
    return;
  }
  assert.fail('a watch on the other server ended');
}

export async function expectGone<T extends KubeObject>(there: Client, kind: KindRef<T>, old: T): Promise<void> {
  await assert.rejects(there.get(kind, nameOf(old)), isNotFound);
}
