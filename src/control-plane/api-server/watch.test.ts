/** Watches under a clock that is moved by hand: bookmarks, time-outs, watchers that do not keep up. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap } from '../../api/generated/kinds.ts';
import { builtInRegistry } from '../../api/kinds/all.ts';
import { seededRandom } from '../../client/clock.ts';
import { silentLog } from '../../client/log.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { openMemoryStore } from '../store/memory-store.ts';
import { createApiServer } from './api-server.ts';
import type { RequestOptions } from './resource-request.ts';
import { planStart, type WatchStart, watchBacklogMax } from './watch.ts';

async function start() {
  const stack = new AsyncDisposableStack();
  const clock = new VirtualClock();
  const storage = stack.use(openMemoryStore({ clock }));
  const server = stack.use(await createApiServer({ storage, registry: builtInRegistry(), clock, random: seededRandom(1), log: silentLog }));
  return { clock, client: server.loopback, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const configMap = (name: string) => ({ metadata: { name, namespace: 'default' } });

it('tells the revision once a minute and at the end', async () => {
  await using running = await start();
  const { clock, client } = running;
  const told: string[] = [];
  const watching = (async () => {
    const options = { resourceVersion: '1', allowWatchBookmarks: true, timeoutSeconds: 150 };
    for await (const { type, object } of client.watch(ConfigMap, options)) told.push(`${type} ${object.metadata.resourceVersion}`);
  })();
  await clock.advance(60_000);
  await client.create(ConfigMap, configMap('a'));
  await clock.advance(90_000);
  await watching;
  assert.deepEqual(told, ['BOOKMARK 1', 'ADDED 2', 'BOOKMARK 2', 'BOOKMARK 2']);
});

it('ends a watcher that does not take its events', async () => {
  await using running = await start();
  const { client } = running;
  const events = client.watch(ConfigMap, { resourceVersion: '1' })[Symbol.asyncIterator]();
  const first = events.next();
  for (let i = 0; i < watchBacklogMax + 10; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, j) => client.create(ConfigMap, configMap(`a${i + j}`))));
  }
  await first;
  let count = 1;
  while (!(await events.next()).done) count++;
  assert.ok(count > watchBacklogMax && count <= watchBacklogMax + 2, String(count));
});

it('leaves no timer behind', async () => {
  const running = await start();
  const { clock, client } = running;
  await client.list(ConfigMap);
  const watching = client.watch(ConfigMap, { allowWatchBookmarks: true })[Symbol.asyncIterator]();
  const next = watching.next();
  await clock.advance(1);
  await running[Symbol.asyncDispose]();
  await next;
  assert.equal(clock.pending, 0);
});

const rows: readonly { readonly name: string; readonly given: RequestOptions; readonly want: WatchStart }[] = [
  { name: 'from nowhere', given: {}, want: { initial: true, initialEnd: false } },
  { name: 'from nowhere, with bookmarks', given: { allowWatchBookmarks: true }, want: { initial: true, initialEnd: true } },
  { name: 'from any state', given: { resourceVersion: '0' }, want: { initial: true, initialEnd: false } },
  {
    name: 'from a revision',
    given: { resourceVersion: '5', allowWatchBookmarks: true },
    want: { initial: false, initialEnd: false, after: 5 },
  },
  { name: 'from now', given: { sendInitialEvents: false }, want: { initial: false, initialEnd: false } },
  { name: 'streaming list', given: { sendInitialEvents: true, allowWatchBookmarks: true }, want: { initial: true, initialEnd: true } },
  {
    name: 'streaming list not older than',
    given: { sendInitialEvents: true, allowWatchBookmarks: true, resourceVersion: '5' },
    want: { initial: true, initialEnd: true },
  },
];

it('begins as the resource version says', () => {
  for (const { name, given, want } of rows) assert.deepEqual(planStart(given, Number(given.resourceVersion ?? 0) || undefined), want, name);
});
