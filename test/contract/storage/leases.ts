/** Leases on a virtual clock. */
import assert from 'node:assert/strict';
import { VirtualClock } from '../../../src/client/virtual-clock.ts';
import { LeaseNotFoundError } from '../../../src/control-plane/store/storage.ts';
import { committed, describeEvent, type Implementation, itOf, list, put, takeEvents } from './stores.ts';

const never = new AbortController().signal;

export function testLeases(implementation: Implementation): void {
  const { open } = implementation;
  const it = itOf(implementation);
  it('lease: its end deletes its keys, with events as usual', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const lease = await store.grantLease(60);
    await committed(store, put('a', '1', { lease }), put('b', '1', { lease }), put('c', '1'));
    const [item] = (await store.range({ key: 'a' })).items;
    assert.equal(item?.lease, lease);
    const events = takeEvents(store.watch({ prefix: '', revision: await store.latestRevision() }, never), 2);
    await clock.advance(59_999);
    assert.equal((await list(store, '')).length, 3);
    await clock.advance(1);
    assert.deepEqual((await events).map(describeEvent), ['delete a@3 was a=1@2+2', 'delete b@3 was b=1@2+2']);
    assert.deepEqual(await list(store, ''), ['c=1@2+2']);
  });

  it('lease: a key that has left it stays', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const short = await store.grantLease(10);
    const long = await store.grantLease(100);
    await committed(store, ...['moved', 'freed', 'gone', 'back'].map((key) => put(key, '1', { lease: short })));
    await committed(store, put('moved', '2', { lease: long }), put('freed', '2'), { key: 'gone' }, { key: 'back' });
    await committed(store, put('back', '3'));
    await store.revokeLease(short);
    assert.deepEqual(await list(store, ''), ['back=3@4+4', 'freed=2@3+2', 'moved=2@3+2']);
    await clock.advance(10_000);
    const events = takeEvents(store.watch({ prefix: '', revision: await store.latestRevision() }, never), 1);
    await clock.advance(90_000);
    assert.deepEqual((await events).map(describeEvent), ['delete moved@5 was moved=2@3+2']);
  });

  it('lease: a renewal starts its time anew', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const lease = await store.grantLease(10);
    await committed(store, put('a', '1', { lease }));
    await clock.advance(9_000);
    await store.renewLease(lease);
    await clock.advance(9_000);
    assert.deepEqual(await list(store, ''), ['a=1@2+2']);
    const events = takeEvents(store.watch({ prefix: '', revision: 2 }, never), 1);
    await clock.advance(1_000);
    assert.deepEqual((await events).map(describeEvent), ['delete a@3 was a=1@2+2']);
  });

  it('lease: revoked, it ends at once, with writes that are on their way', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const lease = await store.grantLease(10);
    const onItsWay = committed(store, put('a', '1', { lease }));
    await store.revokeLease(lease);
    assert.equal(await onItsWay, 2);
    assert.deepEqual(await list(store, ''), []);
    assert.equal(await store.latestRevision(), 3);
    assert.equal(clock.pending, 0);
  });

  it('lease: thousands of keys on one end in slices, and one timer serves all leases', async () => {
    const clock = new VirtualClock();
    await using store = await open({ clock });
    const leases = await Promise.all(Array.from({ length: 20 }, (_, i) => store.grantLease(60 + i)));
    assert.equal(new Set(leases).size, 20);
    assert.equal(clock.pending, 1);
    const [lease = 0] = leases;
    await Promise.all(Array.from({ length: 3000 }, (_, i) => store.commit([put(`k${i}`, 'x', { lease })])));
    await store.revokeLease(lease);
    assert.deepEqual(await list(store, ''), []);
    assert.equal(clock.pending, 1);
  });

  it('lease: one that is not there is refused', async () => {
    await using store = await open({ clock: new VirtualClock() });
    const lease = await store.grantLease(10);
    await store.revokeLease(lease);
    await assert.rejects(store.commit([put('a', '1', { lease })]), LeaseNotFoundError);
    await assert.rejects(store.commit([put('a', '1', { lease: 77 })]), LeaseNotFoundError);
    await assert.rejects(store.renewLease(lease), LeaseNotFoundError);
    await assert.rejects(store.revokeLease(lease), LeaseNotFoundError);
    await assert.rejects(store.grantLease(0), RangeError);
    assert.equal(await store.latestRevision(), 1);
  });
}
