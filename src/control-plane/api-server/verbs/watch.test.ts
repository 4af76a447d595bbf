/** Watches under a clock that is moved by hand: bookmarks, time-outs, watchers that do not keep up. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap } from '../../../api/generated/kinds.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { seededRandom } from '../../../client/clock.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { createApiServer } from '../api-server.ts';
import type { RequestOptions } from '../request/request.ts';
import { planWatchStart, type WatchStart } from './watch.ts';

async function start(history: { readonly historyMs?: number; readonly historyRevisions?: number } = {}) {
  const stack = new AsyncDisposableStack();
  const clock = new VirtualClock();
  const storage = stack.use(openMemoryStore({ clock, ...history }));
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

it('goes on for as long as it is not asked to end', async () => {
  await using running = await start();
  const { clock, client } = running;
  const events = client.watch(ConfigMap, { resourceVersion: '1' })[Symbol.asyncIterator]();
  const first = events.next();
  await clock.advance(30 * 86_400_000);
  await client.create(ConfigMap, configMap('after-a-month'));
  assert.equal((await first).value?.object.metadata.name, 'after-a-month');
  await events.return?.();
});

it('lets a watcher that did not take its events catch up, from the ring or from history', async () => {
  await using running = await start();
  const { client } = running;
  for (const missed of [1200, 2200]) {
    const events = client.watch(ConfigMap, { namespace: 'default', sendInitialEvents: false })[Symbol.asyncIterator]();
    const first = events.next();
    const revisions: number[] = [];
    for (let i = 0; i < missed; i += 100) {
      const made = await Promise.all(
        Array.from({ length: 100 }, () => client.create(ConfigMap, { metadata: { generateName: 'a', namespace: 'default' } })),
      );
      revisions.push(...made.map(({ metadata }) => Number(metadata.resourceVersion)));
    }
    const taken = [await first];
    while (taken.length < missed) taken.push(await events.next());
    await client.create(ConfigMap, configMap(`live-${missed}`));
    assert.equal((await events.next()).value?.object.metadata.name, `live-${missed}`);
    assert.deepEqual(
      taken.map(({ value }) => Number(value?.object.metadata.resourceVersion)),
      revisions.sort((a, b) => a - b),
    );
    await events.return?.();
  }
});

it('tells a watcher that slept through what has been forgotten', async () => {
  await using running = await start({ historyMs: 60_000, historyRevisions: 100 });
  const { client, clock } = running;
  const events = client.watch(ConfigMap, { resourceVersion: '1' })[Symbol.asyncIterator]();
  const first = events.next();
  for (let i = 0; i < 2400; i += 200) {
    await Promise.all(
      Array.from({ length: 200 }, () => client.create(ConfigMap, { metadata: { generateName: 'a', namespace: 'default' } })),
    );
  }
  await clock.advance(120_000);
  await first;
  const rest = async (): Promise<void> => {
    for (let i = 0; i < 2400; i++) await events.next();
  };
  await assert.rejects(rest, { code: 410, reason: 'Expired' });
});

it('gives a client that does not read no more than it can hold, initial state included', async () => {
  await using running = await start();
  const { client } = running;
  for (let i = 0; i < 1500; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, j) => client.create(ConfigMap, configMap(`a${String(i + j).padStart(4, '0')}`))));
  }
  const events = client.watch(ConfigMap, { allowWatchBookmarks: true })[Symbol.asyncIterator]();
  const told = [await events.next()];
  await client.create(ConfigMap, configMap('b'));
  while (told.length < 1502) told.push(await events.next());
  const names = told.map(({ value }) => `${value?.type} ${value?.object.metadata.name}`);
  assert.deepEqual(names.slice(-3), ['ADDED a1499', 'BOOKMARK undefined', 'ADDED b']);
  assert.equal(new Set(names).size, 1502);
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
  for (const { name, given, want } of rows)
    assert.deepEqual(planWatchStart(given, Number(given.resourceVersion ?? 0) || undefined), want, name);
});
