/** Compare and swap, revisions, durability as seen by readers. */
import assert from 'node:assert/strict';
import { realClock } from '../../../src/client/clock.ts';
import { type CommitResult, type Op, StoreUnavailableError } from '../../../src/control-plane/store/storage.ts';
import { committed, describeEvent, type Implementation, itOf, list, part, put, takeEvents } from './stores.ts';

interface Row {
  readonly name: string;
  readonly given: readonly (readonly Op[])[];
  readonly when: readonly Op[];
  readonly want: CommitResult;
  readonly holds: readonly string[];
}

/** A new store is at revision 1; `a` was created at 2. */
const rows: readonly Row[] = [
  { name: 'creates', given: [], when: [put('a', '1', { expect: 'absent' })], want: { ok: true, revision: 2 }, holds: ['a=1@2+2'] },
  {
    name: 'does not create twice',
    given: [[put('a', '1')]],
    when: [put('a', '2', { expect: 'absent' })],
    want: { ok: false, key: 'a', actual: 2 },
    holds: ['a=1@2+2'],
  },
  {
    name: 'replaces what the writer saw',
    given: [[put('a', '1')]],
    when: [put('a', '2', { expect: 2 })],
    want: { ok: true, revision: 3 },
    holds: ['a=2@3+2'],
  },
  {
    name: 'does not replace what has changed',
    given: [[put('a', '1')], [put('a', '2')]],
    when: [put('a', '3', { expect: 2 })],
    want: { ok: false, key: 'a', actual: 3 },
    holds: ['a=2@3+2'],
  },
  {
    name: 'does not replace what is gone',
    given: [[put('a', '1')], [{ key: 'a' }]],
    when: [put('a', '2', { expect: 2 })],
    want: { ok: false, key: 'a', actual: 0 },
    holds: [],
  },
  { name: 'puts blindly', given: [[put('a', '1')]], when: [put('a', '2')], want: { ok: true, revision: 3 }, holds: ['a=2@3+2'] },
  { name: 'deletes', given: [[put('a', '1')]], when: [{ key: 'a', expect: 2 }], want: { ok: true, revision: 3 }, holds: [] },
  {
    name: 'does not delete what has changed',
    given: [[put('a', '1')], [put('a', '2')]],
    when: [{ key: 'a', expect: 2 }],
    want: { ok: false, key: 'a', actual: 3 },
    holds: ['a=2@3+2'],
  },
  {
    name: 'checks what it leaves alone',
    given: [[put('a', '1')]],
    when: [put('b', '2'), { key: 'a', expect: 2, isCheck: true }],
    want: { ok: true, revision: 3 },
    holds: ['a=1@2+2', 'b=2@3+3'],
  },
  {
    name: 'does nothing where what it checks has changed',
    given: [[put('a', '1')], [put('a', '2')]],
    when: [put('b', '2'), { key: 'a', expect: 2, isCheck: true }],
    want: { ok: false, key: 'a', actual: 3 },
    holds: ['a=2@3+2'],
  },
  {
    name: 'gives no revision for deleting nothing',
    given: [[put('b', '1')]],
    when: [{ key: 'a' }],
    want: { ok: true, revision: 2 },
    holds: ['b=1@2+2'],
  },
  {
    name: 'creates again after a deletion',
    given: [[put('a', '1')], [{ key: 'a' }]],
    when: [put('a', '2', { expect: 'absent' })],
    want: { ok: true, revision: 4 },
    holds: ['a=2@4+4'],
  },
  {
    name: 'gives all ops of a commit one revision',
    given: [[put('b', '1')]],
    when: [put('a', '1'), put('b', '2', { expect: 2 }), put('c', '3', { expect: 'absent' })],
    want: { ok: true, revision: 3 },
    holds: ['a=1@3+3', 'b=2@3+2', 'c=3@3+3'],
  },
  {
    name: 'writes nothing of a commit when one op loses',
    given: [[put('b', '1')]],
    when: [put('a', '1'), put('b', '2', { expect: 'absent' })],
    want: { ok: false, key: 'b', actual: 2 },
    holds: ['b=1@2+2'],
  },
  {
    name: 'does nothing for a commit without ops',
    given: [[put('a', '1')]],
    when: [],
    want: { ok: true, revision: 2 },
    holds: ['a=1@2+2'],
  },
  { name: 'keeps an empty value', given: [], when: [put('a', '')], want: { ok: true, revision: 2 }, holds: ['a=@2+2'] },
];

export function testCommits(implementation: Implementation): void {
  const { open } = implementation;
  const it = itOf(implementation);
  for (const row of rows) {
    it(`commit: ${row.name}`, async () => {
      await using store = await open({ clock: realClock });
      for (const ops of row.given) await committed(store, ...ops);
      assert.deepEqual(await store.commit(row.when), row.want);
      assert.deepEqual(await list(store, ''), row.holds);
    });
  }

  it('commit: of many that expect the same, one wins, and the rest learn what they lost to', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a', '0'));
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.commit([put('a', `${i + 1}`, { expect: 2 })])));
    assert.deepEqual(results[0], { ok: true, revision: 3 });
    for (const result of results.slice(1)) assert.deepEqual(result, { ok: false, key: 'a', actual: 3 });
    assert.deepEqual(await list(store, 'a'), ['a=1@3+2']);
  });

  it('commit: a loser sees, at once, what it lost to', async () => {
    await using store = await open({ clock: realClock });
    void store.commit([put('a', '1')]);
    const lost = await store.commit([put('a', '2', { expect: 'absent' })]);
    assert.deepEqual(lost, { ok: false, key: 'a', actual: 2 });
    assert.deepEqual(await list(store, 'a'), ['a=1@2+2']);
  });

  it('commit: a queued write can be built upon before it is durable', async () => {
    await using store = await open({ clock: realClock });
    const results = await Promise.all([
      store.commit([put('a', '1', { expect: 'absent' })]),
      store.commit([put('a', '2', { expect: 2 })]),
      store.commit([{ key: 'a', expect: 3 }]),
      store.commit([put('a', '3', { expect: 'absent' })]),
    ]);
    assert.deepEqual(
      results.map((result) => result.ok && result.revision),
      [2, 3, 4, 5],
    );
    assert.deepEqual(await list(store, 'a'), ['a=3@5+5']);
    assert.deepEqual(await list(store, 'a', 3), ['a=2@3+2']);
  });

  it('commit: the revision is told when it is given, for the next to expect; not for what is not written', async () => {
    await using store = await open({ clock: realClock });
    const told: number[] = [];
    const tell = (revision: number): void => void told.push(revision);
    const first = store.commit([put('a', '1', { expect: 'absent' })], tell);
    if (told.length === 0) await first; // it is known only then
    const [given = assert.fail('never told')] = told;
    const results = await Promise.all([
      first,
      store.commit([put('a', '2', { expect: 'absent' })], tell),
      store.commit([put('a', '3', { expect: given })], tell),
    ]);
    assert.deepEqual(
      results.map((result) => result.ok),
      [true, false, true],
    );
    assert.deepEqual(
      told,
      results.flatMap((result) => (result.ok ? result.revision : [])),
    );
  });

  it('commit: nothing is visible before it resolves, everything after', async () => {
    await using store = await open({ clock: realClock });
    const commit = committed(store, put('a', '1'));
    const before = [store.latestRevision(), store.range({ prefix: '' })] as const;
    assert.equal(await before[0], 1);
    assert.deepEqual((await before[1]).items, []);
    assert.equal(await commit, await store.latestRevision());
    assert.deepEqual(await list(store, ''), ['a=1@2+2']);
  });

  it('commit: counters of many writers add up', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('count', '0'));
    const increment = async (): Promise<void> => {
      for (;;) {
        const { items } = await store.range({ key: 'count' });
        const [item] = items;
        assert(item);
        const result = await store.commit([put('count', `${Number(Buffer.from(item.value)) + 1}`, { expect: item.revision })]);
        if (result.ok) return;
      }
    };
    await Promise.all(Array.from({ length: 16 }, increment));
    assert.deepEqual(await list(store, 'count'), ['count=16@18+2']);
  });

  it('commit: carries what the writer attached, and hands out the bytes it was given', async () => {
    await using store = await open({ clock: realClock });
    const attachment = { parsed: true };
    await committed(store, put('a', '1', { attachment }));
    const [item] = (await store.range({ key: 'a' })).items;
    assert.equal(item?.attachment, attachment);
    assert.deepEqual(item?.value, new TextEncoder().encode('1'));
  });

  it('commit: a managed part is kept beside its value, as of each revision, and goes with a put that has none', async () => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a', '1', { managed: part('m') }), put('b', '1', { managed: part('') }));
    await committed(store, put('a', '2', { managed: part('n') }));
    await committed(store, put('a', '3'));
    await committed(store, { key: 'b' });
    assert.deepEqual(await list(store, '', 2), ['a=1&m@2+2', 'b=1&@2+2']);
    assert.deepEqual(await list(store, '', 3), ['a=2&n@3+2', 'b=1&@2+2']);
    assert.deepEqual(await list(store, ''), ['a=3@4+2']);
    const events = await takeEvents(store.watch({ prefix: '', revision: 2 }, new AbortController().signal), 3);
    assert.deepEqual(events.map(describeEvent), ['put a=2&n@3+2 was a=1&m@2+2', 'put a=3@4+2 was a=2&n@3+2', 'delete b@5 was b=1&@2+2']);
  });

  it('commit: equal managed parts are the same in memory', async () => {
    await using store = await open({ clock: realClock });
    const text = '[{"manager":"kubelet"}]';
    for (const key of ['a', 'b', 'c']) await committed(store, put(key, key, { managed: part(text) }));
    const { items } = await store.range({ prefix: '' });
    assert.deepEqual(new Set(items.map((item) => item.managed)), new Set([part(text)]));
    assert.equal(String(items[2]?.managed), text);
  });

  it('commit: keys and values of the largest sizes', async () => {
    await using store = await open({ clock: realClock });
    const lease = await store.grantLease(1000);
    const longest = ['a'.repeat(1023), 'a'.repeat(1024), '日'.repeat(341), '🚢'.repeat(256)];
    const large = Buffer.alloc(3 * 2 ** 20, 'x');
    await committed(store, ...longest.map((key) => put(key, key, { lease })), { key: 'large', put: large });
    await committed(store, { key: 'large', put: Buffer.concat([large, large]) });
    assert.deepEqual(await list(store, 'a'), [`${longest[0]}=${longest[0]}@2+2`, `${longest[1]}=${longest[1]}@2+2`]);
    assert.deepEqual(await list(store, '🚢'), [`${longest[3]}=${longest[3]}@2+2`]);
    assert(large.equals((await store.range({ key: 'large', atRevision: 2 })).items[0]?.value ?? Buffer.of()));
    await store.revokeLease(lease);
    const { items } = await store.range({ prefix: '' });
    assert.deepEqual(
      items.map((item) => [item.key, item.value.byteLength]),
      [['large', 2 * large.byteLength]],
    );
  });

  it('commit: a store that closes in the middle of a compaction and of a lease', async () => {
    const store = await open({ clock: realClock });
    const lease = await store.grantLease(1000);
    for (let i = 0; i < 20; i++) await committed(store, ...Array.from({ length: 100 }, (_, j) => put(`k${i}/${j}`, 'x', { lease })));
    for (let i = 0; i < 20; i++) await committed(store, ...Array.from({ length: 100 }, (_, j) => put(`k${i}/${j}`, 'y', { lease })));
    const under = Promise.allSettled([store.compact(await store.latestRevision()), store.revokeLease(lease)]);
    await new Promise(setImmediate);
    await store[Symbol.asyncDispose]();
    await under;
  });

  const refused: readonly { name: string; ops: readonly Op[] }[] = [
    { name: 'the same key twice', ops: [put('a', '1'), { key: 'a' }] },
    { name: 'an empty key', ops: [put('', '1')] },
    { name: 'a key of more than 1024 bytes', ops: [put('ä'.repeat(513), '1')] },
    { name: 'a key that is not Unicode', ops: [put('a\ud800', '1')] },
    { name: 'more than 1024 ops', ops: Array.from({ length: 1025 }, (_, i) => put(`k${i}`, '')) },
  ];
  for (const { name, ops } of refused) {
    it(`commit: refuses ${name}`, async () => {
      await using store = await open({ clock: realClock });
      await assert.rejects(store.commit(ops), RangeError);
      assert.deepEqual((await store.range({ prefix: '' })).items, []);
    });
  }

  it('a closed store refuses everything, and has finished what was queued', async () => {
    const store = await open({ clock: realClock });
    const queued = committed(store, put('a', '1'));
    const closed = store[Symbol.asyncDispose]();
    assert.equal(await queued, 2);
    await closed;
    await assert.rejects(store.commit([put('b', '1')]), StoreUnavailableError);
    await assert.rejects(store.range({ prefix: '' }), StoreUnavailableError);
    await assert.rejects(store.grantLease(1), StoreUnavailableError);
    await store[Symbol.asyncDispose]();
  });
}
