/**
 * Two API servers in one process on one store, and random clients that race on both: what must be unique stays unique,
 * what is bounded stays within its bounds, no update is lost, and whoever reads after an acknowledged write, on
 * whichever server, sees it. A failure names the seed: the same seed takes the same decisions.
 */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { realClock } from '../../src/client/clock.ts';
import { implementations } from './storage/stores.ts';
import { count, createTwice, endNamespace, expectShared, makeShared, note } from './two-servers/objects.ts';
import { bindTwice, evictMany } from './two-servers/pods.ts';
import { expectCounted, makeNamespace, useQuota, watchQuota } from './two-servers/quotas.ts';
import { expectNothingTwice, useService } from './two-servers/services.ts';
import { met, startWorld, type World } from './two-servers/world.ts';

const clientCount = 12;
const actsPerClient = 25;
const namespaces = ['red', 'blue'];

interface Setting {
  readonly name: string;
  readonly store: string;
  readonly lags: boolean;
  readonly seeds: readonly number[];
}

const settings: readonly Setting[] = [
  { name: 'in memory', store: 'memory', lags: false, seeds: [1, 2] },
  { name: 'in memory, the second behind', store: 'memory', lags: true, seeds: [3, 4] },
  { name: 'on disk', store: 'LMDB', lags: false, seeds: [5] },
  { name: 'on disk, the second behind', store: 'LMDB', lags: true, seeds: [6] },
  { name: 'in etcd', store: 'etcd', lags: false, seeds: [7, 8] },
];

for (const { name, store, lags, seeds } of settings) {
  const implementation = implementations.find((each) => each.name === store);
  assert.ok(implementation);
  for (const seed of seeds) {
    const skip = implementation.missing ?? false;
    it(`two servers on one store ${name}, seed ${seed}`, { timeout: 60_000, skip }, async () => {
      await using opened = new AsyncDisposableStack();
      const { open, openAt, isRemote } = implementation;
      const name = `two servers, seed ${seed}`;
      const openOne = isRemote && openAt ? () => openAt(name, { clock: realClock }) : () => open({ clock: realClock });
      const storage = opened.use(await openOne());
      const second = isRemote ? opened.use(await openOne()) : storage;
      await using world = await startWorld({ seed, lags, storage, second });
      await race(world);
    });
  }
  after(() => implementation.stop?.());
}

it('the clients have met: each of the refusals has come', () => assert.equal(met.size, 9, [...met].join('\n')));

async function race(world: World): Promise<void> {
  await makeShared(world);
  for (const namespace of namespaces) await makeNamespace(world, namespace);
  await using watching = new AsyncDisposableStack();
  for (const namespace of namespaces) for (const client of world.clients) watching.use(watchQuota(client, namespace));
  let counted = 0;
  const notes: string[] = [];
  const act = async (world: World, name: string): Promise<void> => {
    switch (world.below(14)) {
      case 0:
        return bindTwice(world, name);
      case 1:
        return evictMany(world, name);
      case 2:
        return createTwice(world, name);
      case 12:
        return endNamespace(world, name);
      case 13:
        notes.push(name);
        return note(world, name);
      case 3:
      case 4:
        counted++;
        return count(world);
      case 5:
      case 6:
      case 7:
        return useQuota(world, world.oneOf(namespaces), name);
      default:
        return useService(world, name);
    }
  };
  await Promise.all(
    Array.from({ length: clientCount }, async (_, client) => {
      const own = world.as(client);
      for (let i = 0; i < actsPerClient; i++) await act(own, `c${client}-${i}`);
    }),
  );
  await expectShared(world, { count: counted, notes });
  for (const client of world.clients) {
    await expectNothingTwice(client);
    for (const namespace of namespaces) await expectCounted(client, namespace);
  }
}
