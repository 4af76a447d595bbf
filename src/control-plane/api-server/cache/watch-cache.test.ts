/** Resources that come and go while others are watched: what is told of them, and that it is told once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../../api/meta/object.ts';
import { silentLog } from '../../../client/log.ts';
import { VirtualClock } from '../../../client/virtual-clock.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { CompactedError, type RangeQuery, type RangeResult, type Storage } from '../../store/storage.ts';
import type { ResourceCache } from './resource-cache.ts';
import { Draft } from './stored-object.ts';
import { WatchCache } from './watch-cache.ts';

const widgets = { storagePrefix: 'example.com/widgets', namespaced: true };
const pods = { storagePrefix: 'pods', namespaced: true };
const keyOf = (name: string, { storagePrefix } = widgets): string => `/registry/${storagePrefix}/default/${name}`;

/** A store between which and the cache a test may stand. */
class Between {
  readonly clock = new VirtualClock();
  readonly store = openMemoryStore({ clock: this.clock });
  /** called with each range of the cache; its answer goes on when this resolves */
  onRange: (query: RangeQuery, answer: () => Promise<RangeResult>) => Promise<RangeResult> = (_, answer) => answer();
  /** what the store tells waits for it */
  holdEvents: Promise<unknown> | undefined;
  #watching = new AbortController();

  readonly cache = new WatchCache({ storage: this.#wrapped(), clock: this.clock, log: silentLog });

  breakWatch(): void {
    this.#watching.abort();
  }

  async put(name: string, resource = widgets): Promise<void> {
    const draft = new Draft({ apiVersion: 'v1', kind: 'Any', metadata: { name, namespace: 'default' } } as KubeObject, undefined);
    await this.store.commit([{ key: keyOf(name, resource), put: draft.bytes, attachment: draft }]);
  }

  async delete(name: string): Promise<void> {
    await this.store.commit([{ key: keyOf(name) }]);
  }

  get widgets(): ResourceCache {
    return this.cache.resource(widgets.storagePrefix) ?? assert.fail('no widgets');
  }

  names(): readonly string[] {
    return [...this.widgets.sorted(undefined)].map(({ object }) => object.metadata.name ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  #wrapped(): Storage {
    const { store } = this;
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'range') return (query: RangeQuery) => this.onRange(query, () => store.range(query));
        if (name === 'watch') return (from: Parameters<Storage['watch']>[0], signal: AbortSignal) => this.#watch(from, signal);
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  async *#watch(from: Parameters<Storage['watch']>[0], signal: AbortSignal) {
    this.#watching = new AbortController();
    const stop = AbortSignal.any([signal, this.#watching.signal]);
    for await (const batch of this.store.watch(from, stop)) {
      await this.holdEvents;
      if (stop.aborted) return;
      yield batch;
    }
  }
}

const isWidgets = ({ prefix }: RangeQuery): boolean => prefix?.startsWith('/registry/example.com/') ?? false;

describe('a resource that is added while others are watched', () => {
  it('shows what the store had, and is told once what happens while it is loaded', async () => {
    await using between = new Between();
    const { cache } = between;
    await cache.start([pods]);
    await between.put('before');
    await between.put('goes');
    between.onRange = async (query, answer) => {
      const found = await answer();
      if (!isWidgets(query)) return found;
      await between.put('meanwhile');
      await between.delete('goes');
      await between.put('a-pod', pods);
      return found;
    };
    await cache.add(widgets);
    assert.deepEqual(between.names(), ['before', 'meanwhile']);
    const told: string[] = [];
    between.widgets.addWatcher({
      scope: {},
      take: ({ current, previous }) => told.push(`${current ? '+' : '-'}${(current ?? previous)?.object.metadata.name}`),
      end: () => undefined,
    });
    await between.put('after');
    await cache.fresh();
    assert.deepEqual(told, ['+after']);
    assert.equal(between.widgets.eventsSince(between.widgets.loadedAt)?.length, 3, 'one each: meanwhile, goes, after');
  });

  it('waits for events that are in what was loaded, and does not tell them again', async () => {
    await using between = new Between();
    const { cache } = between;
    await cache.start([pods]);
    const hold = Promise.withResolvers<void>();
    between.holdEvents = hold.promise;
    await between.put('one');
    await between.put('one');
    const adding = cache.add(widgets);
    let isAdded = false;
    const noted = adding.then(() => {
      isAdded = true;
    });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isAdded, false, 'the cache is behind what was loaded');
    hold.resolve();
    await noted;
    assert.equal(cache.revision, await between.store.latestRevision());
    assert.deepEqual(between.widgets.eventsSince(between.widgets.loadedAt), []);
    assert.deepEqual(between.names(), ['one']);
  });

  it('is loaded again when the watch breaks off, or its history is compacted away, meanwhile', async () => {
    await using between = new Between();
    const { cache, clock } = between;
    await cache.start([pods]);
    await between.put('one');
    const ranges: string[] = [];
    between.onRange = async (query, answer) => {
      if (!isWidgets(query)) return answer();
      ranges.push(query.prefix ?? '');
      const found = await answer();
      if (ranges.length === 1) throw new CompactedError('compacted');
      if (ranges.length === 2) {
        between.breakWatch();
        await between.put('two');
        await clock.advance(1000);
        await cache.caughtUp(await between.store.latestRevision());
      }
      return found;
    };
    await cache.add(widgets);
    assert.equal(ranges.length, 3);
    assert.deepEqual(between.names(), ['one', 'two']);
  });

  it('can be asked for again when it could not be loaded', async () => {
    await using between = new Between();
    const { cache } = between;
    await cache.start([pods]);
    await between.put('one');
    between.onRange = () => Promise.reject(new Error('the disk is gone'));
    await assert.rejects(cache.add(widgets), { message: 'the disk is gone' });
    assert.equal(cache.resource(widgets.storagePrefix), undefined);
    between.onRange = (_, answer) => answer();
    await Promise.all([cache.add(widgets), cache.add(widgets)]);
    assert.deepEqual(between.names(), ['one']);
  });
});

it('a resource that goes ends its watchers, and stays as it was for those who read it', async () => {
  await using between = new Between();
  const { cache } = between;
  await cache.start([pods]);
  await cache.add(widgets);
  await between.put('one');
  await cache.fresh();
  const old = between.widgets;
  let ended = 0;
  const watcher = { scope: {}, take: () => assert.fail('told after the end'), end: () => ended++ };
  assert.ok(old.begin(watcher));
  cache.remove(widgets.storagePrefix);
  assert.equal(ended, 1);
  assert.equal(old.begin(watcher), false);
  await between.put('two');
  await cache.fresh();
  assert.equal(old.size, 1);
  assert.equal(cache.resource(widgets.storagePrefix), undefined);
  await cache.add(widgets);
  assert.deepEqual(between.names(), ['one', 'two']);
});

it('a follower hears of a resource from before it comes until after it goes', async () => {
  await using between = new Between();
  const { cache } = between;
  await cache.start([pods]);
  await between.put('one');
  const told: string[] = [];
  const following = cache.follow(widgets.storagePrefix, (object, old) => {
    told.push(`${old ? '-' : ''}${old?.object.metadata.name ?? ''}${object ? '+' : ''}${object?.object.metadata.name ?? ''}`);
  });
  await cache.add(widgets);
  await between.put('two');
  await cache.fresh();
  cache.remove(widgets.storagePrefix);
  await between.put('three');
  await cache.add(widgets);
  assert.deepEqual(told, ['+one', '+two', '-one', '-two', '+one', '+three', '+two']);
  following[Symbol.dispose]();
  await between.put('four');
  cache.remove(widgets.storagePrefix);
  assert.equal(told.length, 7);
});
