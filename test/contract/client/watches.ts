/** Watches: nothing missed, nothing twice, selections, bookmarks, expiry. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ConfigMap, Pod } from '../../../src/api/generated/kinds.ts';
import { isExpired } from '../../../src/api/meta/status-error.ts';
import { realClock } from '../../../src/client/clock.ts';
import { VirtualClock } from '../../../src/client/virtual-clock.ts';
import { openMemoryStore } from '../../../src/control-plane/store/memory-store.ts';
import { configMap, describeEvent, type Implementation, refusal, takeEvents } from './clients.ts';

const at = { namespace: 'default', name: 'a' };

export function testWatches({ name, start }: Implementation): void {
  it('goes on from a list without a gap', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    const { metadata } = await client.list(ConfigMap);
    await client.create(ConfigMap, configMap('b'));
    const events = takeEvents(client.watch(ConfigMap, { resourceVersion: metadata.resourceVersion ?? '' }), 4);
    await client.patch(ConfigMap, at, { type: 'merge', body: { data: { k: 'v' } } });
    const last = await client.create(ConfigMap, configMap('c'));
    await client.delete(ConfigMap, at);
    const taken = await events;
    assert.deepEqual(taken.map(describeEvent), ['ADDED b', 'MODIFIED a', 'ADDED c', 'DELETED a']);
    const versions = taken.map((event) => Number(event.object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    );
    assert.deepEqual(taken[2]?.object, last);
  });

  it('begins with what is there, when asked from nowhere', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    const events = takeEvents(client.watch(ConfigMap, { allowWatchBookmarks: true, sendInitialEvents: true }), 2);
    const [added, end] = await events;
    assert.equal(added && describeEvent(added), 'ADDED a');
    assert.deepEqual(end?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
  });

  it('tells what enters and leaves a selection', async () => {
    await using running = await start();
    const { client } = running;
    const { metadata } = await client.list(ConfigMap);
    const options = { labelSelector: 'x=y', resourceVersion: metadata.resourceVersion ?? '' };
    const events = takeEvents(client.watch(ConfigMap, options), 4);
    const label = (x: string | null) => client.patch(ConfigMap, at, { type: 'merge', body: { metadata: { labels: { x } } } });
    await client.create(ConfigMap, configMap('a'));
    await label('y');
    await client.patch(ConfigMap, at, { type: 'merge', body: { data: { k: 'v' } } });
    await label('z');
    await client.create(ConfigMap, configMap('b', { labels: { x: 'y' } }));
    assert.deepEqual((await events).map(describeEvent), ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b']);
  });

  it('watches one object, one namespace, one node', async () => {
    await using running = await start();
    const { client } = running;
    const resourceVersion = (await client.list(ConfigMap)).metadata.resourceVersion ?? '';
    const byName = takeEvents(client.watch(ConfigMap, { namespace: 'default', fieldSelector: 'metadata.name=b', resourceVersion }), 1);
    const byNamespace = takeEvents(client.watch(ConfigMap, { namespace: 'other', resourceVersion }), 1);
    const byNode = takeEvents(client.watch(Pod, { fieldSelector: 'spec.nodeName=two', resourceVersion }), 1);
    const pod = (name: string, nodeName: string) => ({
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
    });
    await client.create(ConfigMap, configMap('a'));
    await client.create(ConfigMap, configMap('b'));
    await client.create(ConfigMap, configMap('c', { namespace: 'other' }));
    await client.create(Pod, pod('p', 'one'));
    await client.create(Pod, pod('q', 'two'));
    const taken = await Promise.all([byName, byNamespace, byNode]);
    assert.deepEqual(
      taken.map(([event]) => event && describeEvent(event)),
      ['ADDED b', 'ADDED c', 'ADDED q'],
    );
  });

  it('ends at its time-out', async () => {
    await using running = await start();
    const events = await takeEvents(
      running.client.watch(ConfigMap, { timeoutSeconds: 1, allowWatchBookmarks: true, resourceVersion: '1' }),
      100,
    );
    assert.deepEqual(events.map(describeEvent), ['BOOKMARK']);
  });

  it('goes back behind the start of the server, as long as the store remembers', async () => {
    await using storage = openMemoryStore({ clock: realClock });
    let resourceVersion = '';
    {
      await using running = await start({ storage });
      resourceVersion = (await running.client.list(ConfigMap)).metadata.resourceVersion ?? '';
      await running.client.create(ConfigMap, configMap('a', {}, { k: '1' }));
      await running.client.patch(ConfigMap, at, { type: 'merge', body: { data: { k: '2' } } });
    }
    await using running = await start({ storage });
    const { client } = running;
    const events = takeEvents(client.watch(ConfigMap, { resourceVersion }), 3);
    await client.create(ConfigMap, configMap('b'));
    assert.deepEqual((await events).map(describeEvent), ['ADDED a', 'MODIFIED a', 'ADDED b']);
    await storage.compact(await storage.latestRevision());
    const expired = await refusal(takeEvents(client.watch(ConfigMap, { resourceVersion: '1' }), 1));
    assert.ok(isExpired(expired));
    assert.match(expired.message, /^too old resource version: 1 \(\d+\)$/);
  });

  it('throws the reason of its signal', async () => {
    await using running = await start();
    const stop = new AbortController();
    const events = running.client.watch(ConfigMap, { signal: stop.signal })[Symbol.asyncIterator]();
    const first = events.next();
    await running.client.create(ConfigMap, configMap('a'));
    await first;
    const next = events.next();
    stop.abort(new Error('enough'));
    await assert.rejects(next, /^Error: enough$/);
  });

  it('does not end in silence when its client is closed, which then answers nothing', async () => {
    await using running = await start();
    const { client } = running;
    const ended = assert.rejects(takeEvents(client.watch(ConfigMap), 1));
    const informer = client.informer(ConfigMap);
    await informer.synced;
    await client[Symbol.asyncDispose]();
    await ended;
    const closed = { code: 503, message: 'the client is closed' };
    await assert.rejects(client.list(ConfigMap), closed);
    await assert.rejects(client.get(ConfigMap, at), closed);
    await assert.rejects(client.create(ConfigMap, configMap('a')), closed);
    await assert.rejects(client.raw('/version'), closed);
    await assert.rejects(takeEvents(client.watch(ConfigMap), 1), closed);
    assert.throws(() => client.informer(ConfigMap), closed);
  });

  it('ends at the server’s time-out, over the wire', async () => {
    const clock = new VirtualClock();
    await using running = await start({ clock });
    const events = running.client.watch(ConfigMap)[Symbol.asyncIterator]();
    const first = events.next();
    await running.client.create(ConfigMap, configMap('a'));
    await first;
    const next = events.next();
    await clock.advance(3_600_000);
    if (name === 'HTTPS') assert.equal((await next).done, true);
    else {
      await running.client.create(ConfigMap, configMap('b'));
      assert.equal((await next).value?.object.metadata.name, 'b');
      await events.return?.();
    }
  });

  it('keeps informers', async () => {
    await using running = await start();
    const { client } = running;
    await client.create(ConfigMap, configMap('a'));
    const informer = client.informer(ConfigMap, { namespace: 'default' });
    await informer.synced;
    const seen = Promise.withResolvers<string>();
    informer.on({ updated: (object) => seen.resolve(object.data?.['k'] ?? '') });
    await client.patch(ConfigMap, at, { type: 'merge', body: { data: { k: 'v' } } });
    assert.equal(await seen.promise, 'v');
    assert.equal(informer.list('default').length, 1);
  });
}
