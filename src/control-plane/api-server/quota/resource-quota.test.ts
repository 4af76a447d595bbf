/** Writes that a quota counts are queued one after the other, without waiting for each other's way to the disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RemoteStorage } from '../../../../test/kit/remote-storage.ts';
import { ConfigMap, ResourceQuota } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { Client } from '../../../client/client.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import type { Storage } from '../../store/storage.ts';
import { createApiServer } from '../api-server.ts';
import { quotaKeeping } from './quota-keeping.ts';

const namespace = 'a';
const hard = { 'count/configmaps': '5' };
const turnsUntilQueued = 20;

interface Held extends AsyncDisposable {
  readonly client: Client;
  /** commits that were handed to the store */
  commits(): number;
  /** From now on no commit comes back, and nothing that is written is shown. */
  hold(): void;
  release(): void;
}

/** An API server with nothing but quotas, on a store that can be kept from answering. */
async function heldServer({ asks = false } = {}): Promise<Held> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const memory = openMemoryStore({ clock });
  const remote = new RemoteStorage(memory, { asks: false });
  let gate: PromiseWithResolvers<void> | undefined;
  let commits = 0;
  const storage = new Proxy<Storage>(remote, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (name !== 'commit') return typeof member === 'function' ? member.bind(target) : member;
      const commit: Storage['commit'] = async (ops, queued) => {
        commits++;
        const writing = target.commit(ops, asks ? undefined : queued);
        await gate?.promise;
        const result = await writing;
        if (asks && result.ok) queued?.(result.revision);
        return result;
      };
      return commit;
    },
  });
  const stack = new AsyncDisposableStack();
  stack.use(memory);
  const registry = builtInRegistry();
  const server = await createApiServer({
    storage,
    registry,
    clock,
    random,
    log: silentLog,
    async parts({ reader, ops, loopback }) {
      const kindOf = (resource: string) => (resource === 'configmaps' ? ConfigMap : undefined);
      const served = () => registry.current;
      const quotas = stack.use(quotaKeeping({ reader, ops, loopback, clock, random, log: silentLog, served, kindOf }));
      return { allocators: [quotas.allocator] };
    },
  });
  stack.use(server);
  return {
    client: server.loopback,
    commits: () => commits,
    hold: () => {
      gate = Promise.withResolvers();
      remote.hold();
    },
    release() {
      gate?.resolve();
      gate = undefined;
      remote.release();
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

const make = (client: Client, name: string) =>
  client.create(ConfigMap, { metadata: { namespace, name } }).then(
    () => 'made',
    (error: Error) => error.message,
  );
const used = async (client: Client) => (await client.get(ResourceQuota, { namespace, name: 'q' })).status.used;

const refusal =
  'configmaps "x" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=5, limited: count/configmaps=5';

for (const { name, asks, queued } of [
  { name: 'all are queued before the first is on disk', asks: false, queued: 5 },
  { name: 'a store that tells its revision afterwards gets one at a time', asks: true, queued: 1 },
])
  test(`writes under one quota: ${name}, and no more than fit`, async () => {
    await using server = await heldServer({ asks });
    const { client } = server;
    await client.create(ResourceQuota, { metadata: { namespace, name: 'q' }, spec: { hard } });
    for (let i = 0; i < turnsUntilQueued; i++) await turn();
    const before = server.commits();
    server.hold();
    const making = Array.from({ length: 8 }, (_, i) => make(client, `c${i}`));
    for (let i = 0; i < turnsUntilQueued; i++) await turn();
    assert.equal(server.commits() - before, queued);
    server.release();
    const answers = await Promise.all(making);
    assert.deepEqual(answers.map((answer) => answer.replace(/"c\d"/, '"x"')).toSorted(), [
      ...Array(3).fill(refusal),
      ...Array(5).fill('made'),
    ]);
    assert.deepEqual(await used(client), { 'count/configmaps': '5' });
    await client.delete(ConfigMap, { namespace, name: 'c0' });
    assert.equal(await make(client, 'again'), 'made');
  });

test('what a write that failed would have added is not counted', async () => {
  await using server = await heldServer();
  const { client } = server;
  await client.create(ResourceQuota, { metadata: { namespace, name: 'q' }, spec: { hard } });
  assert.equal(await make(client, 'there'), 'made');
  const answers = await Promise.all([make(client, 'there'), make(client, 'c0'), make(client, 'there'), make(client, 'c1')]);
  assert.deepEqual(answers.filter((answer) => answer === 'made').length, 2);
  assert.deepEqual(await used(client), { 'count/configmaps': '3' });
  for (const name of ['c2', 'c3']) assert.equal(await make(client, name), 'made');
  assert.equal((await make(client, 'c4')).replace(/"c4"/, '"x"'), refusal);
});
