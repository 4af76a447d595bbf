import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../../api/generated/kinds.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { Client, WatchEvent } from '../client.ts';
import { seededRandom } from '../clock.ts';
import { silentLog } from '../log.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { createInformer, type RunningInformer } from './informer-cache.ts';
import { InformerSet } from './informer-set.ts';

const configMap = (name: string, revision: number, uid = `uid-${name}`, namespace = 'default'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, uid, resourceVersion: String(revision), creationTimestamp: '2026-01-01T00:00:00Z' },
});

/** A server with one list and watches that the test feeds. */
class Feed implements Pick<Client, 'list' | 'watch'> {
  items: ConfigMap[] = [];
  revision = 1;
  readonly watchesFrom: (string | undefined)[] = [];
  lists = 0;
  #queue: (WatchEvent<ConfigMap> | Error | 'end')[] = [];
  #wake = Promise.withResolvers<void>();

  send(...events: (WatchEvent<ConfigMap> | Error | 'end')[]): void {
    this.#queue.push(...events);
    this.#wake.resolve();
  }
  // biome-ignore lint/suspicious/noExplicitAny: one kind only
  async list(): Promise<any> {
    this.lists++;
    return { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion: String(this.revision) }, items: this.items };
  }
  // biome-ignore lint/suspicious/noExplicitAny: one kind only
  async *watch(_kind: unknown, options: { resourceVersion?: string; signal?: AbortSignal } = {}): AsyncIterable<any> {
    this.watchesFrom.push(options.resourceVersion);
    const aborted = new Promise<void>((resolve) => options.signal?.addEventListener('abort', () => resolve()));
    for (;;) {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        if (next === 'end') return;
        if (next instanceof Error) throw next;
        yield next;
      }
      this.#wake = Promise.withResolvers<void>();
      await Promise.race([this.#wake.promise, aborted]);
      if (options.signal?.aborted) return;
    }
  }
}

function tell(informer: RunningInformer<ConfigMap>): string[] {
  const told: string[] = [];
  informer.on({
    added: (o) => told.push(`+${o.metadata.name}@${o.metadata.resourceVersion}`),
    updated: (o, old) => told.push(`~${o.metadata.name}@${old.metadata.resourceVersion}-${o.metadata.resourceVersion}`),
    deleted: (o) => told.push(`-${o.metadata.name}@${o.metadata.resourceVersion}`),
  });
  return told;
}

const start = (feed: Feed, clock = new VirtualClock()) => ({
  clock,
  informer: createInformer(feed, ConfigMap, {}, { clock, log: silentLog, random: seededRandom(1) }),
});

test('the cache has what the list and the watch say, and the very objects', async () => {
  const feed = new Feed();
  feed.items = [configMap('a', 1)];
  const { informer, clock } = start(feed);
  await using _ = informer;
  const told = tell(informer);
  await informer.synced;
  assert.equal(informer.get('default/a'), feed.items[0]);
  feed.send({ type: 'ADDED', object: configMap('b', 2) }, { type: 'MODIFIED', object: configMap('a', 3) });
  feed.send({ type: 'DELETED', object: configMap('b', 4) });
  await clock.advance(0);
  assert.deepEqual(told, ['+a@1', '+b@2', '~a@1-3', '-b@4']);
  assert.deepEqual(
    informer.list('default').map((o) => o.metadata.name),
    ['a'],
  );
  assert.deepEqual(informer.list('other'), []);
});

test('after 410 everything is listed again and the differences are told', async () => {
  const feed = new Feed();
  feed.items = [configMap('kept', 1), configMap('changed', 1), configMap('gone', 1), configMap('remade', 1)];
  const { informer, clock } = start(feed);
  await using _ = informer;
  await informer.synced;
  const told = tell(informer);
  told.length = 0;
  feed.items = [configMap('kept', 1), configMap('changed', 7), configMap('new', 8), configMap('remade', 9, 'other-uid')];
  feed.revision = 9;
  feed.send(errors.expired('too old resource version'));
  await clock.advance(5000);
  assert.deepEqual(told, ['~changed@1-7', '+new@8', '-remade@1', '+remade@9', '-gone@1']);
  assert.deepEqual(feed.watchesFrom, ['1', '9']);
});

test('a watch is taken up from the last bookmark, without a list', async () => {
  const feed = new Feed();
  const { informer, clock } = start(feed);
  await using _ = informer;
  await informer.synced;
  feed.send({ type: 'BOOKMARK', object: configMap('', 55) }, 'end');
  await clock.advance(5000);
  assert.deepEqual(feed.watchesFrom, ['1', '55']);
  feed.send(new Error('connection reset'));
  await clock.advance(5000);
  assert.deepEqual(feed.watchesFrom, ['1', '55', '55']);
  assert.equal(feed.lists, 1);
});

/** When the server was asked, in ms, while each answer was the same error. */
async function askedAt(error: Error, durationMs: number): Promise<number[]> {
  const clock = new VirtualClock();
  const feed = new Feed();
  const asked: number[] = [];
  feed.list = async () => {
    asked.push(clock.monotonic());
    throw error;
  };
  const { informer } = start(feed, clock);
  informer.synced.catch(() => undefined);
  await using _ = informer;
  await clock.advance(durationMs);
  return asked;
}

const outages = [
  { name: 'nobody listens', error: new Error('ECONNREFUSED'), maxMs: 5000 },
  { name: 'a server that is not ready yet', error: errors.serviceUnavailable('starting'), maxMs: 5000 },
  { name: 'a refusal', error: errors.forbidden({ group: '', resource: 'configmaps' }, '', 'no'), maxMs: 60_000 },
];
for (const { name, error, maxMs } of outages) {
  test(`after an outage of ten minutes a server is asked again soon: ${name}`, async () => {
    const asked = await askedAt(error, 600_000);
    const gaps = asked.slice(1).map((atMs, i) => atMs - (asked[i] ?? 0));
    assert.ok(Math.max(...gaps) <= maxMs, `${Math.max(...gaps)} ms`);
    assert.ok(Math.max(...gaps) > maxMs / 2, 'it is not asked more often than that');
    assert.equal(new Set(gaps.slice(-5)).size, 5, 'no two wait equally long');
  });
}

test('indexes follow every change', async () => {
  const feed = new Feed();
  feed.items = [configMap('a', 1), configMap('b', 1)];
  const { informer, clock } = start(feed);
  await using _ = informer;
  await informer.synced;
  const byOwner = informer.index('owner', (o) => Object.values(o.metadata.labels ?? {}));
  assert.deepEqual(byOwner('x'), []);
  const labelled = (labels: Record<string, string>, revision: number): ConfigMap => {
    const object = configMap('a', revision);
    return { ...object, metadata: { ...object.metadata, labels } };
  };
  feed.send({ type: 'MODIFIED', object: labelled({ one: 'x', two: 'y' }, 2) });
  await clock.advance(0);
  assert.equal(byOwner('x').length, 1);
  assert.equal(byOwner('y'), byOwner('y'));
  feed.send({ type: 'MODIFIED', object: labelled({ two: 'y' }, 3) });
  await clock.advance(0);
  assert.deepEqual([byOwner('x').length, byOwner('y')[0]?.metadata.resourceVersion], [0, '3']);
  feed.send({ type: 'DELETED', object: configMap('a', 4) });
  await clock.advance(0);
  assert.deepEqual(byOwner('y'), []);
});

test('a write is shown once its event, or a later one, is in the cache', async () => {
  const feed = new Feed();
  feed.items = [configMap('a', 1)];
  const { informer, clock } = start(feed);
  await using _ = informer;
  await informer.synced;
  const write = { key: 'default/n', uid: 'uid-n', resourceVersion: '5' };
  assert.equal(informer.shows(write), false);
  assert.equal(informer.shows({ key: 'default/a', uid: 'uid-a' }), false);
  assert.equal(informer.shows({ key: 'default/a', uid: 'uid-earlier' }), true);
  const shown = informer.whenShown(write);
  feed.send({ type: 'ADDED', object: configMap('n', 5) });
  await shown;
  assert.ok(informer.get('default/n'));
  feed.send({ type: 'BOOKMARK', object: configMap('', 9) });
  await clock.advance(0);
  assert.equal(informer.shows({ key: 'default/z', uid: 'z', resourceVersion: '8' }), true);
});

test('nothing is left after a stop, even before the first list', async () => {
  const feed = new Feed();
  const clock = new VirtualClock();
  const set = new InformerSet(feed, { clock, log: silentLog, random: seededRandom(1) });
  const informer = set.informer(ConfigMap);
  assert.equal(set.informer(ConfigMap, {}), informer);
  assert.notEqual(set.informer(ConfigMap, { namespace: 'x' }), informer);
  await set[Symbol.asyncDispose]();
  await assert.rejects(informer.synced);
  assert.throws(() => set.informer(ConfigMap));
  assert.equal(clock.pending, 0);
});
