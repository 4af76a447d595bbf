/**
 * A server on a store that others write to as well: what a client may be promised of what it sees. Run for a store that knows
 * its revision and for one that has to ask.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap, Pod } from '../../src/api/generated/kinds.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock } from '../../src/client/clock.ts';
import { silentLog } from '../../src/client/log.ts';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import { registryPrefix, WatchCache } from '../../src/control-plane/api-server/cache/watch-cache.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { RemoteStorage } from '../kit/remote-storage.ts';
import { configMap, describeEvent, describeRefusal, startServer, takeEvents } from './client/clients.ts';
import { committed, put } from './storage/stores.ts';

const user = { name: 'tester', groups: ['system:masters'] };
const never = new AbortController().signal;
const a = { namespace: 'default', name: 'a' };

/** Two servers on one store: what `here` writes reaches `there` only when its watches let it through. */
async function startTwo(asks: boolean) {
  const stack = new AsyncDisposableStack();
  const clock = new VirtualClock();
  const store = stack.use(openMemoryStore({ clock }));
  const storage = new RemoteStorage(store, { asks });
  const here = stack.use(await startServer({ storage: store, clock }));
  const there = stack.use(await startServer({ storage, clock }));
  return {
    here: here.server.clientFor(user),
    there: there.server.clientFor(user),
    clock,
    store,
    storage,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What an object's data is, 'none' when it is not there, and what a read was refused with. */
const look = (client: Client, resourceVersion?: string): Promise<unknown> =>
  client.get(ConfigMap, a, resourceVersion === undefined ? {} : { resourceVersion }).then(
    ({ data }) => data,
    (error: unknown) => (error as { code: number }).code,
  );

interface Read {
  readonly name: string;
  /** what it shows, in words */
  read(client: Client, signal: AbortSignal): Promise<unknown>;
  /** what it shows of a server that is behind; absent: it waits */
  readonly behind?: unknown;
  /** what it shows of one that has caught up */
  readonly want: unknown;
}

const names = async (client: Client, options: Parameters<Client['list']>[1]): Promise<string[]> =>
  (await client.list(ConfigMap, options)).items.map((item) => `${item.metadata.name}=${item.data?.['k']}`);
const told = async (client: Client, options: Parameters<Client['watch']>[1], count: number): Promise<string[]> =>
  (await takeEvents(client.watch(ConfigMap, options), count)).map(describeEvent);

const reads: readonly Read[] = [
  { name: 'get', read: (client, signal) => client.get(ConfigMap, a, { signal }).then(({ data }) => data), want: { k: '2' } },
  { name: 'get of any state', read: (client) => look(client, '0'), behind: { k: '1' }, want: { k: '2' } },
  { name: 'list', read: (client, signal) => names(client, { signal }), want: ['a=2', 'b=1'] },
  { name: 'list of any state', read: (client) => names(client, { resourceVersion: '0' }), behind: ['a=1'], want: ['a=2', 'b=1'] },
  { name: 'first page', read: (client, signal) => names(client, { limit: 1, signal }), want: ['a=2'] },
  { name: 'list by a selector', read: (client, signal) => names(client, { fieldSelector: 'metadata.name=b', signal }), want: ['b=1'] },
  {
    name: 'watch from now',
    read: (client, signal) => told(client, { timeoutSeconds: 100, signal }, 2),
    want: ['ADDED a', 'ADDED b'],
  },
  {
    name: 'watch that lists first',
    read: (client, signal) => told(client, { sendInitialEvents: true, allowWatchBookmarks: true, signal }, 3),
    want: ['ADDED a', 'ADDED b', 'BOOKMARK'],
  },
  {
    name: 'watch of any state',
    read: (client, signal) => told(client, { resourceVersion: '0', signal }, 1),
    behind: ['ADDED a'],
    want: ['ADDED a'],
  },
];

/** Of what another server has just made. */
const writes: readonly { readonly name: string; write(client: Client, made: { map: ConfigMap; pod: Pod }): Promise<unknown> }[] = [
  { name: 'update', write: (client, { map }) => client.update(ConfigMap, { ...map, data: { k: '3' } }) },
  {
    name: 'update without a resourceVersion',
    write: (client) => client.update(ConfigMap, configMap('a', {}, { k: '3' })),
  },
  { name: 'patch', write: (client) => client.patch(ConfigMap, a, { type: 'merge', body: { data: { k: '3' } } }) },
  { name: 'delete', write: (client) => client.delete(ConfigMap, a) },
  {
    name: 'binding',
    write: (client) => client.post(Pod, a, 'binding', { metadata: a, target: { kind: 'Node', name: 'one' } }),
  },
  {
    name: 'eviction',
    write: (client) => client.post(Pod, a, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: a }),
  },
];

const podSpec = { containers: [{ name: 'c', image: 'i' }] };

for (const asks of [false, true]) {
  describe(`beside another server, on a store that ${asks ? 'is asked for' : 'knows'} its revision`, () => {
    for (const { name, read, behind, want } of reads) {
      it(`${name}: ${behind === undefined ? 'waits for what was acknowledged elsewhere' : 'waits for nothing'}`, async () => {
        await using two = await startTwo(asks);
        const { here, there, storage } = two;
        const made = await here.create(ConfigMap, configMap('a', {}, { k: '1' }));
        await there.get(ConfigMap, a);
        storage.hold();
        await here.update(ConfigMap, { ...made, data: { k: '2' } });
        await here.create(ConfigMap, configMap('b', {}, { k: '1' }));
        if (behind !== undefined) {
          assert.deepEqual(await read(there, never), behind);
          storage.release();
          await there.get(ConfigMap, a);
        } else {
          let isDone = false;
          const reading = read(there, never).finally(() => {
            isDone = true;
          });
          for (let i = 0; i < 5; i++) await new Promise(setImmediate);
          assert.equal(isDone, false);
          storage.release();
          assert.deepEqual(await reading, want);
        }
        assert.deepEqual(await read(there, never), want);
      });

      if (behind !== undefined) continue;

      it(`${name}: gives up after a while, and at once when its client does`, async () => {
        await using two = await startTwo(asks);
        const { here, there, storage, clock } = two;
        storage.hold();
        await here.create(ConfigMap, configMap('a', {}, { k: '2' }));
        const stop = new AbortController();
        const left = read(there, stop.signal).catch((error: Error) => error.name);
        for (let i = 0; i < 5; i++) await new Promise(setImmediate);
        stop.abort();
        assert.notDeepEqual(await left, want);
        const refused = describeRefusal(read(there, never));
        for (let i = 0; i < 5; i++) await new Promise(setImmediate);
        await clock.advance(3000);
        assert.match(await refused, /^504 Timeout: Timeout: Too large resource version: \d+, current: \d+$/);
      });
    }

    for (const { name, write } of writes) {
      it(`${name}: finds what another server has just made`, async () => {
        await using two = await startTwo(asks);
        const { here, there, storage } = two;
        storage.hold();
        const map = await here.create(ConfigMap, configMap('a'));
        const pod = await here.create(Pod, { metadata: a, spec: podSpec });
        const writing = write(there, { map, pod });
        storage.release();
        await writing;
      });
    }

    it('a page that another server began goes on as it began', async () => {
      await using two = await startTwo(asks);
      const { here, there, storage } = two;
      for (const name of ['a', 'b', 'c']) await here.create(ConfigMap, configMap(name, {}, { k: '1' }));
      await there.list(ConfigMap);
      storage.hold();
      await here.create(ConfigMap, configMap('bb', {}, { k: '1' }));
      const page = await here.list(ConfigMap, { limit: 2 });
      await here.create(ConfigMap, configMap('d', {}, { k: '1' }));
      assert.deepEqual(await names(there, { limit: 5, continue: page.metadata.continue ?? '' }), ['bb=1', 'c=1']);
    });

    it('a collection that is deleted is all that was acknowledged', async () => {
      await using two = await startTwo(asks);
      const { here, there, storage } = two;
      storage.hold();
      await here.create(ConfigMap, configMap('a'));
      const deleting = there.deleteCollection(ConfigMap, { namespace: 'default' });
      storage.release();
      await deleting;
      assert.deepEqual(await names(here, {}), []);
    });

    it('what is waited for is what was durable when it was asked, whatever comes after', async () => {
      await using two = await startTwo(asks);
      const { there, store, storage } = two;
      storage.hold();
      // Nothing that the cache holds: only progress shows it.
      await committed(store, put('elsewhere', '1'));
      storage.release();
      await there.list(ConfigMap);
    });
  });
}

it('a cache that has lost the store shows nothing old for new, and goes on where the store is', async () => {
  await using two = await startTwo(true);
  const { here, there, storage, clock } = two;
  for (const name of ['a', 'b']) await here.create(ConfigMap, configMap(name, {}, { k: '1' }));
  await there.list(ConfigMap);
  storage.disconnect();
  await new Promise(setImmediate);
  await here.delete(ConfigMap, a);
  await here.create(ConfigMap, configMap('c', {}, { k: '2' }));
  assert.deepEqual(await names(there, { resourceVersion: '0' }), ['a=1', 'b=1']);
  const reading = names(there, {});
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  await clock.advance(1000);
  assert.deepEqual(await reading, ['b=1', 'c=2']);
});

it('a store that does not tell its revision is not waited for without end', async () => {
  await using two = await startTwo(true);
  two.storage.isSilent = true;
  const refused = describeRefusal(two.there.list(ConfigMap));
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  await two.clock.advance(3000);
  assert.equal(await refused, '504 Timeout: Timeout: the store has not told its revision');
});

it('a server that alone writes to its store waits for nothing', async () => {
  await using store = openMemoryStore({ clock: realClock });
  await using cache = new WatchCache({ storage: store, clock: realClock, log: silentLog });
  await cache.start([{ storagePrefix: 'configmaps', namespaced: true }]);
  for (let i = 0; i < 100; i++) {
    const revision = await committed(store, put(`${registryPrefix}configmaps/default/${i % 7}`, '{"metadata":{"name":"x"}}'));
    assert.equal(cache.fresh(), undefined);
    assert.equal(cache.revision, revision);
  }
});
