/** Requests that are under way when their kind changes or goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newWidget, type Widget, widgetKind, widgets, widthSchema } from '../../../../test/kit/widgets.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { RemoteConversion } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { realClock, seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import type { Op, Storage } from '../../store/storage.ts';
import { createApiServer } from '../api-server.ts';
import type { Authorize } from '../authorization/decide.ts';

const Widgets = widgetKind();
const at = { name: 'a', namespace: 'default' };

/** A server whose requests wait for what a test says, and its store's commits too. */
async function start() {
  const stack = new AsyncDisposableStack();
  const gates: { authorize: Promise<unknown> | undefined; commit: (() => Promise<unknown>) | undefined } = {
    authorize: undefined,
    commit: undefined,
  };
  const memory = stack.use(openMemoryStore({ clock: realClock }));
  const storage: Storage = new Proxy(memory, {
    get(target, name) {
      if (name === 'commit')
        return async (ops: readonly Op[]) => {
          await gates.commit?.();
          return memory.commit(ops);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const authorize: Authorize = async () => {
    await gates.authorize;
    return { verdict: 'allow', reason: '' };
  };
  const server = await createApiServer({
    storage,
    registry: builtInRegistry(),
    clock: realClock,
    random: seededRandom(1),
    log: silentLog,
    parts: () => ({ authorize }),
  });
  stack.use(server);
  await server.kinds.put(widgets(Widgets));
  await server.loopback.create(Widgets, newWidget('a'));
  return { server, client: server.loopback, gates, memory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('a read that comes to a kind that is gone does not find it', async () => {
  await using running = await start();
  const { server, client, gates } = running;
  const gate = Promise.withResolvers<void>();
  gates.authorize = gate.promise;
  const reading = client.get(Widgets, at);
  await server.kinds.remove(Widgets);
  await assert.rejects(client.get(Widgets, at), { message: 'the server could not find the requested resource' });
  gate.resolve();
  await assert.rejects(reading, { message: 'the server could not find the requested resource' });
});

it('a watch of a kind that has changed since it was asked for ends at once', async () => {
  await using running = await start();
  const { server, client, gates } = running;
  const gate = Promise.withResolvers<void>();
  gates.authorize = gate.promise;
  const first = client.watch(Widgets, { namespace: 'default' })[Symbol.asyncIterator]().next();
  await server.kinds.put(widgets(widgetKind()));
  gate.resolve();
  await assert.rejects(first, { message: 'the server has ended the watch' });
});

it('a write that lost its race is not tried again on a kind that is gone', async () => {
  await using running = await start();
  const { server, client, gates, memory } = running;
  let commits = 0;
  gates.commit = async () => {
    commits++;
    gates.commit = undefined;
    const { items } = await memory.range({ prefix: '/registry/example.com/' });
    await memory.commit(items.map(({ key, value }) => ({ key, put: value })));
    await server.kinds.remove(Widgets);
  };
  await assert.rejects(client.patch(Widgets, at, { type: 'merge', body: { spec: { size: 4 } } }), {
    message: 'the server could not find the requested resource',
  });
  assert.equal(commits, 1);
});

it('a write that wins is there when its kind comes again', async () => {
  await using running = await start();
  const { server, client, gates } = running;
  gates.commit = async () => {
    gates.commit = undefined;
    await server.kinds.remove(Widgets);
  };
  const written = await client.patch(Widgets, at, { type: 'merge', body: { spec: { size: 4 } } });
  assert.equal((written as Widget).spec?.size, 4);
  await server.kinds.put(widgets(Widgets));
  assert.equal((await client.get(Widgets, at)).spec?.size, 4, 'not what the cache was when the kind went');
});

it('a kind that would leave its objects behind is refused, and the old one stays', async () => {
  await using running = await start();
  const { server, client } = running;
  await assert.rejects(server.kinds.put(widgets(widgetKind({ namespaced: false }))), { message: /can't change its scope/ });
  assert.equal((await client.get(Widgets, at)).metadata.name, 'a');
  await server.kinds.put(widgets(Widgets));
});

/** v1 has a size, v2 a width: converted by somebody who may take his time. */
function widths(convertRemotely: RemoteConversion) {
  return widgetKind({
    version: 'v2',
    schema: widthSchema,
    convertRemotely,
    selectableFields: new Map([['spec.width', (object) => String((object as Wide).spec?.width)]]),
  });
}
type Wide = KubeObject & { readonly spec?: { readonly width?: number } };
const toWidth = (object: KubeObject): Wide => ({
  ...object,
  apiVersion: 'example.com/v2',
  spec: { width: (object as Widget).spec?.size ?? 0 },
});

const toSize = (object: KubeObject): Widget => ({
  ...object,
  apiVersion: 'example.com/v1',
  spec: { size: (object as Wide).spec?.width ?? 0 },
});

describe('a version that somebody else converts', () => {
  const describeWide = (object: KubeObject): string => `${object.metadata.name} ${(object as Wide).spec?.width}`;

  async function startConverting() {
    const running = await start();
    const batches: string[][] = [];
    const how: { answer: (objects: readonly KubeObject[]) => readonly KubeObject[]; gate: Promise<unknown> | undefined } = {
      answer: (objects) => objects.map(toWidth),
      gate: undefined,
    };
    const Wide = widths(async (objects, apiVersion) => {
      if (apiVersion === 'example.com/v1') return objects.map(toSize);
      batches.push(objects.map(({ metadata }) => metadata.name ?? ''));
      await how.gate;
      return how.answer(objects);
    });
    await running.server.kinds.put(widgets(Widgets, Wide));
    return { ...running, Wide, batches, how };
  }

  it('is read like any other, and converted once', async () => {
    await using running = await startConverting();
    const { client, Wide, batches } = running;
    assert.equal(describeWide(await client.get(Wide, at)), 'a 3');
    await client.get(Wide, at);
    await client.create(Widgets, newWidget('b', { spec: { size: 4 } }));
    await client.create(Widgets, newWidget('c', { spec: { size: 5 } }));
    const { items } = await client.list(Wide, { namespace: 'default' });
    assert.deepEqual(items.map(describeWide), ['a 3', 'b 4', 'c 5']);
    const page = await client.list(Wide, { namespace: 'default', limit: 2 });
    assert.deepEqual([page.items.map(describeWide), page.metadata.remainingItemCount], [['a 3', 'b 4'], 1]);
    const rest = await client.list(Wide, { namespace: 'default', limit: 2, continue: page.metadata.continue ?? '' });
    assert.deepEqual(rest.items.map(describeWide), ['c 5']);
    const wide = await client.list(Wide, { namespace: 'default', fieldSelector: 'spec.width=4' });
    assert.deepEqual(wide.items.map(describeWide), ['b 4'], 'a selector sees what clients see');
    assert.deepEqual(batches, [['a'], ['b', 'c']]);
  });

  it('is asked for once by all who wait for it, and a list shows its own moment', async () => {
    await using running = await startConverting();
    const { client, Wide, batches, how } = running;
    const gate = Promise.withResolvers<void>();
    how.gate = gate.promise;
    const reading = [client.get(Wide, at), client.get(Wide, at)];
    const listing = client.list(Wide, { namespace: 'default' });
    const { metadata } = await client.patch(Widgets, at, { type: 'merge', body: { spec: { size: 8 } } });
    await client.create(Widgets, newWidget('b'));
    gate.resolve();
    assert.deepEqual((await Promise.all(reading)).map(describeWide), ['a 3', 'a 3']);
    const list = await listing;
    assert.deepEqual(list.items.map(describeWide), ['a 3']);
    assert.ok(Number(list.metadata.resourceVersion) < Number(metadata.resourceVersion));
    assert.deepEqual(batches, [['a']]);
  });

  it('is asked for in batches, one after the other', async () => {
    await using running = await startConverting();
    const { client, Wide, batches, how } = running;
    await Promise.all(Array.from({ length: 250 }, (_, i) => client.create(Widgets, newWidget(`w${i}`))));
    const gate = Promise.withResolvers<void>();
    how.gate = gate.promise;
    const listing = client.list(Wide, { namespace: 'default' });
    while (batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(batches.length, 1);
    gate.resolve();
    assert.equal((await listing).items.length, 251);
    assert.deepEqual(
      batches.map(({ length }) => length),
      [100, 100, 51],
    );
  });

  it('is watched in order, deletions too', async () => {
    await using running = await startConverting();
    const { client, Wide, how } = running;
    const told: string[] = [];
    const gate = Promise.withResolvers<void>();
    const watching = (async () => {
      for await (const event of client.watch(Wide, { namespace: 'default', fieldSelector: 'spec.width!=7' })) {
        told.push(`${event.type} ${describeWide(event.object)}`);
        if (told.length === 1) gate.resolve();
        if (event.type === 'DELETED' && event.object.metadata.name === 'b') return;
      }
    })();
    await gate.promise;
    const slow = Promise.withResolvers<void>();
    how.gate = slow.promise;
    for (const size of [4, 5, 7]) await client.patch(Widgets, at, { type: 'merge', body: { spec: { size } } });
    await client.create(Widgets, newWidget('b', { spec: { size: 9 } }));
    slow.resolve();
    await client.patch(Widgets, at, { type: 'merge', body: { spec: { size: 6 } } });
    await client.delete(Widgets, { name: 'b', namespace: 'default' });
    await watching;
    assert.deepEqual(told, ['ADDED a 3', 'MODIFIED a 4', 'MODIFIED a 5', 'DELETED a 5', 'ADDED b 9', 'ADDED a 6', 'DELETED b 9']);
  });

  it('is written like any other, and stored in its own version', async () => {
    await using running = await startConverting();
    const { client, Wide } = running;
    const bed = (name: string, width: number) => ({ ...newWidget(name), spec: { width } }) as unknown as Widget;
    const made = await client.create(Wide, bed('b', 4));
    assert.deepEqual([made.apiVersion, describeWide(made)], ['example.com/v2', 'b 4']);
    const dry = await client.create(Wide, bed('c', 4), { dryRun: true });
    assert.equal(describeWide(dry), 'c 4');
    const updated = await client.update(Wide, { ...made, ...bed('b', 5), metadata: made.metadata });
    assert.deepEqual([describeWide(updated), updated.metadata.generation], ['b 5', 2]);
    const patched = await client.patch(Wide, at, { type: 'merge', body: { spec: { width: 6 } } });
    assert.equal(describeWide(patched), 'a 6');
    assert.deepEqual(
      (await client.list(Widgets)).items.map(({ apiVersion, metadata, spec }) => `${apiVersion} ${metadata.name} ${spec?.size}`),
      ['example.com/v1 a 6', 'example.com/v1 b 5'],
    );
    const same = await client.patch(Wide, at, { type: 'merge', body: { spec: { width: 6 } } });
    assert.equal(same.metadata.resourceVersion, patched.metadata.resourceVersion, 'what changes nothing writes nothing');
    await client.delete(Wide, at);
    await client.deleteCollection(Wide, { namespace: 'default', fieldSelector: 'spec.width=5' });
    assert.deepEqual((await client.list(Wide)).items, []);
  });

  it('fails with what the converter says, and works again', async () => {
    await using running = await startConverting();
    const { client, Wide, how } = running;
    how.answer = () => {
      throw errors.internal('conversion webhook for example.com/v1, Kind=Widget failed');
    };
    const refused = { code: 500, message: /conversion webhook .* failed/ };
    await assert.rejects(client.get(Wide, at), refused);
    await assert.rejects(client.list(Wide, { namespace: 'default' }), refused);
    await assert.rejects(client.watch(Wide, { namespace: 'default' })[Symbol.asyncIterator]().next(), refused);
    how.answer = () => [];
    await assert.rejects(client.get(Wide, at), { code: 500, message: /1 objects were to be converted, and 0 were/ });
    how.answer = (objects) => objects.map(toWidth);
    assert.equal(describeWide(await client.get(Wide, at)), 'a 3');
  });

  it('is converted anew when it is another kind', async () => {
    await using running = await startConverting();
    const { server, client, Wide } = running;
    await client.get(Wide, at);
    const doubled = (object: KubeObject): KubeObject => ({ ...toWidth(object), spec: { width: 6 } }) as KubeObject;
    await server.kinds.put(
      widgets(
        Widgets,
        widths(async (objects) => objects.map(doubled)),
      ),
    );
    assert.equal(describeWide(await client.get(Wide, at)), 'a 6');
  });
});

it('objects of a version that is no longer the stored one are served in each', async () => {
  await using running = await start();
  const { server, client } = running;
  const storageVersion = { group: 'example.com', version: 'v2' };
  await server.kinds.put(widgets(widgetKind({ version: 'v2', storageVersion }), widgetKind({ storageVersion })));
  const V2 = { ...Widgets, version: 'v2' };
  await client.create(V2, newWidget('b'));
  for (const [kind, apiVersion] of [[Widgets, 'example.com/v1'] as const, [V2, 'example.com/v2'] as const]) {
    const { items } = await client.list(kind, { namespace: 'default' });
    assert.deepEqual(
      items.map((item) => `${item.metadata.name} ${item.apiVersion}`),
      [`a ${apiVersion}`, `b ${apiVersion}`],
    );
  }
});
