/** The cache of one resource: order, ring of events, who is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../../api/meta/object.ts';
import { eventRingMax, ResourceCache, type WatchScope } from './resource-cache.ts';
import { Draft, type StoredObject } from './stored-object.ts';

const prefix = '/registry/pods/';

class Fixture {
  readonly cache = new ResourceCache({
    prefix,
    namespaced: true,
    indexedField: (object) => (object as KubeObject & { spec?: { nodeName?: string } }).spec?.nodeName ?? '',
  });
  #revision = 0;

  put(path: string, nodeName = ''): void {
    const [namespace = '', name = ''] = path.split('/');
    const draft = new Draft({ kind: 'Pod', apiVersion: 'v1', metadata: { namespace, name }, spec: { nodeName } } as KubeObject, undefined);
    const key = prefix + path;
    const revision = ++this.#revision;
    this.cache.apply({
      type: 'put',
      key,
      revision,
      current: { key, value: draft.bytes, revision, createRevision: revision, attachment: draft },
    });
  }
  delete(path: string): void {
    this.cache.apply({ type: 'delete', key: prefix + path, revision: ++this.#revision });
  }
  watch(scope: WatchScope): string[] {
    const told: string[] = [];
    const tell = (event: { current?: StoredObject | undefined; previous?: StoredObject | undefined }): void => {
      told.push((event.current ?? event.previous)?.object.metadata.name ?? '');
    };
    this.cache.addWatcher({ scope, take: tell, end: () => undefined });
    return told;
  }
  sorted(namespace?: string, startAfter?: string): string {
    return [...this.cache.sorted(namespace, startAfter)].map((stored) => stored.key.slice(prefix.length)).join(' ');
  }
}

describe('the cache of a resource', () => {
  it('lists in the order of the store', () => {
    const fixture = new Fixture();
    for (const path of ['b/y', 'a/x', 'a-b/z', 'b/x', 'a/b']) fixture.put(path);
    assert.equal(fixture.sorted(), 'a-b/z a/b a/x b/x b/y');
    assert.equal(fixture.sorted('b'), 'b/x b/y');
    assert.equal(fixture.sorted(undefined, 'a/b'), 'a/x b/x b/y');
    assert.equal(fixture.sorted('b', 'b/x'), 'b/y');
    fixture.put('a/c');
    fixture.delete('b/x');
    assert.equal(fixture.sorted(), 'a-b/z a/b a/c a/x b/y');
    assert.deepEqual([fixture.cache.count(), fixture.cache.count('a'), fixture.cache.count('c')], [5, 3, 0]);
    for (const namespace of [undefined, 'a', 'b', 'c']) {
      for (const after of ['a-b/z', 'a/b', 'a/bb', 'a/', 'b/z', 'c/']) {
        const rest = fixture.sorted(namespace, after).split(' ').filter(Boolean);
        assert.equal(fixture.cache.countAfter(namespace, after), rest.length, `${namespace} ${after}`);
      }
    }
  });

  it('tells whom it concerns, and nobody else', () => {
    const fixture = new Fixture();
    const all = fixture.watch({});
    const inA = fixture.watch({ namespace: 'a' });
    const named = fixture.watch({ namespace: 'a', name: 'x' });
    const anyX = fixture.watch({ name: 'x' });
    const onOne = fixture.watch({ indexed: 'one' });
    fixture.put('a/x');
    fixture.put('a/y', 'one');
    fixture.put('b/x', 'two');
    fixture.put('b/x', 'one');
    fixture.put('b/x', 'two');
    fixture.delete('a/y');
    assert.deepEqual(all, ['x', 'y', 'x', 'x', 'x', 'y']);
    assert.deepEqual(inA, ['x', 'y', 'y']);
    assert.deepEqual(named, ['x']);
    assert.deepEqual(anyX, ['x', 'x', 'x', 'x']);
    assert.deepEqual(onOne, ['y', 'x', 'x', 'y']);
  });

  it('remembers a bounded number of events', () => {
    const fixture = new Fixture();
    for (let i = 0; i < eventRingMax + 10; i++) fixture.put(`a/p${i % 7}`);
    assert.equal(fixture.cache.eventsSince(9), undefined);
    const kept = fixture.cache.eventsSince(10);
    assert.equal(kept?.length, eventRingMax);
    assert.deepEqual([kept?.[0]?.revision, kept?.at(-1)?.revision], [11, eventRingMax + 10]);
    assert.equal(fixture.cache.eventsSince(eventRingMax + 5)?.length, 5);
  });
});
