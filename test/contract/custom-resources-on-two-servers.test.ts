/**
 * Custom resources on two API servers on one store: what is defined on one is served by both from then on, and nothing
 * that clients create on either outlives its definition.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isForbidden, isNotFound } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock } from '../../src/client/clock.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { define, definition, kindOf, undefine } from '../kit/definitions.ts';
import { startWorld } from './two-servers/world.ts';

const shop = definition('Shop');
const Shops = kindOf(shop);
const roundCount = 4;
const writersPerServer = 4;
const writesMax = 200;

for (const lags of [false, true]) {
  const behind = lags ? ', the second behind' : '';

  it(`what is defined on one server is served by both${behind}`, async () => {
    await using storage = openMemoryStore({ clock: realClock });
    await using world = await startWorld({ seed: 1, lags, storage });
    for (let round = 0; round < roundCount; round++) {
      const { here, there } = world.pick();
      const cake = definition(`Cake${round}`);
      await define(here, cake);
      await there.create(kindOf(cake), { metadata: { name: 'a', namespace: 'default' } });
      assert.equal((await here.list(kindOf(cake))).items.length, 1);
      await undefine(there, cake);
    }
  });

  it(`nothing outlives its definition${behind}`, async () => {
    await using storage = openMemoryStore({ clock: realClock });
    await using world = await startWorld({ seed: 2, lags, storage });
    let written = 0;
    for (let round = 0; round < roundCount; round++) {
      await define(world.pick().here, shop);
      const writers = world.clients.flatMap((client, server) =>
        Array.from({ length: writersPerServer }, (_, i) => write(client, `${server}-${i}`, () => written++)),
      );
      while (written < (round + 1) * writersPerServer) await new Promise(setImmediate);
      await undefine(world.pick().here, shop);
      await Promise.all(writers);
      const { items } = await storage.range({ prefix: '/registry/example.com/' });
      assert.deepEqual(
        items.map(({ key }) => key),
        [],
      );
    }
    assert.ok(written > roundCount, 'some were created');
  });
}

/** Creates one after the other, until it may not any more. */
async function write(client: Client, prefix: string, wrote: () => void): Promise<void> {
  for (let i = 0; i < writesMax; i++) {
    try {
      await client.create(Shops, { metadata: { name: `${prefix}-${i}`, namespace: 'default' } });
      wrote();
    } catch (error) {
      if (isForbidden(error) || isNotFound(error)) return;
      throw error;
    }
  }
}
