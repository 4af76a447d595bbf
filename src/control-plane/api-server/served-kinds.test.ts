/** Requests that are under way when their kind changes or goes. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newWidget, type Widget, widgetKind, widgets } from '../../../test/kit/widgets.ts';
import { builtInRegistry } from '../../api/kinds/all.ts';
import { realClock, seededRandom } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { openMemoryStore } from '../store/memory-store.ts';
import type { Op, Storage } from '../store/storage.ts';
import { createApiServer } from './api-server.ts';
import type { Authorize } from './authorization/decide.ts';

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
