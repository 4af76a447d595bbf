/**
 * Custom resources on two API servers on one store: what is defined on one is served by both from then on, nothing
 * that clients create on either outlives its definition, and a name is one definition's.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CustomResourceDefinition } from '../../src/api/generated/kinds.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { isForbidden, isNotFound } from '../../src/api/meta/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { realClock } from '../../src/client/clock.ts';
import { openMemoryStore } from '../../src/control-plane/store/memory-store.ts';
import { define, definition, kindOf, undefine, whenDefined } from '../kit/definitions.ts';
import { attempt, startWorld } from './two-servers/world.ts';

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

  it(`a name is accepted of one definition, whichever server judges${behind}`, async () => {
    await using storage = openMemoryStore({ clock: realClock });
    await using world = await startWorld({ seed: 3, lags, storage });
    // What two others are refused stays with the first; nobody gives back what is accepted of them in its place.
    await define(world.pick().here, definition('Pie'));
    const given = ['tarts', 'cakes'].map((plural) => definition('Pie', { names: { plural } }));
    for (const each of given) {
      const { here, there } = world.pick();
      await here.create(CustomResourceDefinition, each);
      await whenDefined(there, each, ({ status }) => findCondition(status.conditions ?? [], 'NamesAccepted')?.status === 'False');
    }
    for (let round = 0; round < roundCount; round++) {
      const body = { status: { acceptedNames: { kind: `Flan${round}` } } };
      const accepted = await Promise.all(
        given.map(({ metadata: { name = '' } }, i) => {
          const client = world.clients[i === 0 ? 0 : 1];
          const accept = client.patch(CustomResourceDefinition, { name }, { type: 'merge', body }, { subresource: 'status' });
          return attempt(accept, /^409 Conflict: .*the name kind.Flan\d.example.com is another definition's/);
        }),
      );
      assert.equal(accepted.filter((each) => each !== undefined).length, 1);
    }
    // A name is free with the end of its definition.
    for (const each of given) await undefine(world.pick().here, each);
    await define(world.pick().here, definition(`Flan${roundCount - 1}`));
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
