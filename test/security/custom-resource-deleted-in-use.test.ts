/**
 * A definition is deleted while a hundred clients use it: watchers of its objects, and writers that don't stop. Each watch
 * ends, each writer is told, nothing is left in the store, and the server serves the next definition of that name.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CustomResourceDefinition } from '../../src/api/generated/kinds.ts';
import { define, definition, kindOf, undefine, whenDefined } from '../kit/definitions.ts';
import { startGuardedServer } from '../kit/guarded-server.ts';

const clients = 50;
const writesMax = 2000;
const shop = definition('Shop');
const Shops = kindOf(shop);
const path = '/apis/example.com/v1/namespaces/default/shops';
const merge = { 'content-type': 'application/merge-patch+json' };

it('a definition that is deleted in use leaves nobody waiting and nothing behind', { timeout: 60_000 }, async () => {
  await using guarded = await startGuardedServer();
  const { admin, ask, storage } = guarded;
  const { metadata } = await define(admin, shop);
  const held = { name: 'held', namespace: 'default', finalizers: ['example.com/held'] };
  await admin.create(Shops, { metadata: held });
  let seen = 0;
  const watching = Array.from({ length: clients }, async () => {
    const { code, text } = await ask(`${path}?watch=true`);
    seen++;
    assert.equal(code, 200);
    assert.ok(text.startsWith('{"type":"ADDED"'));
  });
  let made = 0;
  const codes = new Set<number>();
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < writesMax; i++) {
      const body = { kind: 'Shop', apiVersion: 'example.com/v1', metadata: { name: `${writer}-${i}` } };
      const { code } =
        i % 3 === 2 ? await ask(`${path}/held`, { method: 'PATCH', headers: merge, body: { spec: { n: i } } }) : await ask(path, { body });
      codes.add(code);
      made++;
      if (code === 403 || code === 404) return;
    }
    assert.fail('nobody has told the writer');
  };
  const writing = Array.from({ length: clients }, (_, i) => write(i));
  while (made < clients) await new Promise(setImmediate);
  await admin.delete(CustomResourceDefinition, { name: 'shops.example.com' });
  await Promise.all(writing);
  assert.equal(seen, 0, 'the last object is still there, and so are its watches');
  const gone = whenDefined(admin, shop, (_, type) => type === 'DELETED');
  await admin.patch(Shops, { name: 'held', namespace: 'default' }, { type: 'merge', body: { metadata: { finalizers: null } } });
  await gone;
  await Promise.all(watching);
  assert.deepEqual(
    [...codes].filter((code) => ![200, 201, 403, 404, 409].includes(code)),
    [],
  );
  assert.deepEqual((await storage.range({ prefix: '/registry/example.com/' })).items, []);
  const next = await define(admin, shop);
  assert.notEqual(next.metadata.uid, metadata.uid);
  assert.deepEqual((await admin.list(Shops)).items, []);
  await undefine(admin, shop);
});
