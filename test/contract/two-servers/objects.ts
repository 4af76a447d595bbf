/** Clients that count and note on one object, make and delete the same one, and end namespaces, on both servers at once. */
import assert from 'node:assert/strict';
import { ConfigMap, Namespace } from '../../../src/api/generated/kinds.ts';
import { attempt, expectGone, type World } from './world.ts';

const namespace = 'default';
const conflict = /^409 Conflict: /;
const terminating = /^403 Forbidden: .*because it is being terminated/;
const shared = { namespace, name: 'shared' };

export const makeShared = (world: World): Promise<ConfigMap> =>
  world.pick().here.create(ConfigMap, { metadata: shared, data: { count: '0' } });

/** Adds one, again until nobody was faster. */
export async function count(world: World): Promise<void> {
  const { here, there } = world.pick();
  for (;;) {
    const seen = await there.get(ConfigMap, shared);
    const data = { ...seen.data, count: String(Number(seen.data?.['count'] ?? 0) + 1) };
    if (await attempt(here.update(ConfigMap, { ...seen, data }), conflict)) return;
  }
}

/** A patch, which the server applies to what is there. */
export async function note(world: World, name: string): Promise<void> {
  const { here, there } = world.pick();
  await here.patch(ConfigMap, shared, { type: world.oneOf(['merge', 'strategic'] as const), body: { data: { [name]: 'noted' } } });
  assert.equal((await there.get(ConfigMap, shared)).data?.[name], 'noted', 'a note on the other server');
}

/** Nothing that was acknowledged is lost. */
export async function expectShared(world: World, want: { readonly count: number; readonly notes: readonly string[] }): Promise<void> {
  const data = { count: String(want.count), ...Object.fromEntries(want.notes.map((name) => [name, 'noted'])) };
  for (const client of world.clients) assert.deepEqual({ ...(await client.get(ConfigMap, shared)).data }, data);
}

/** Many want one name: one makes it, and when it is deleted, one does that. */
export async function createTwice(world: World, name: string): Promise<void> {
  const at = { namespace, name };
  const made = await Promise.all(
    world.clients.map((client) => attempt(client.create(ConfigMap, { metadata: at }), /^409 AlreadyExists: /)),
  );
  const [object, ...more] = made.filter((each) => each !== undefined);
  assert.ok(object && more.length === 0, 'one of two creates');
  const deleted = await Promise.all(world.clients.map((client) => attempt(client.delete(ConfigMap, at), /^404 NotFound: /)));
  assert.equal(deleted.filter((each) => each !== undefined).length, 1, 'one of two deletes');
  for (const client of world.clients) await expectGone(client, ConfigMap, object);
}

/** In a namespace that is being deleted nobody makes anything any more. */
export async function endNamespace(world: World, name: string): Promise<void> {
  const { here, there } = world.pick();
  const make = (client: typeof here, own: string) => client.create(ConfigMap, { metadata: { namespace: name, name: own } });
  await here.create(Namespace, { metadata: { name }, spec: {} });
  await make(there, 'before');
  await here.delete(Namespace, { name });
  assert.equal(await attempt(make(there, 'after'), terminating), undefined, 'a create in a namespace that is being deleted');
}
