/** Reads: keys, prefixes, pages, old revisions, counts. */
import assert from 'node:assert/strict';
import { realClock } from '../../../src/client/clock.ts';
import { FutureRevisionError, type RangeQuery } from '../../../src/control-plane/store/storage.ts';
import { committed, describeItem, type Implementation, itOf, put } from './stores.ts';

interface Row {
  readonly name: string;
  readonly query: RangeQuery;
  readonly want: readonly string[];
  readonly count: number;
  readonly more?: boolean;
}

/** 2: a/1 a/2 a/3 b/1; 3: a/2 changed; 4: a/1 deleted; 5: a/1 again, a/4 new; 6: b/1 deleted */
const rows: readonly Row[] = [
  { name: 'one key', query: { key: 'a/2' }, want: ['a/2=2@3+2'], count: 1 },
  { name: 'a key that is not there', query: { key: 'a' }, want: [], count: 0 },
  { name: 'a key that is deleted', query: { key: 'b/1' }, want: [], count: 0 },
  { name: 'a deleted key as it was', query: { key: 'b/1', atRevision: 5 }, want: ['b/1=1@2+2'], count: 1 },
  { name: 'a key before it was', query: { key: 'a/4', atRevision: 4 }, want: [], count: 0 },
  { name: 'a prefix', query: { prefix: 'a/' }, want: ['a/1=5@5+5', 'a/2=2@3+2', 'a/3=1@2+2', 'a/4=5@5+5'], count: 4 },
  { name: 'the whole store', query: { prefix: '' }, want: ['a/1=5@5+5', 'a/2=2@3+2', 'a/3=1@2+2', 'a/4=5@5+5'], count: 4 },
  { name: 'a prefix that nothing has', query: { prefix: 'c' }, want: [], count: 0 },
  { name: 'a first page', query: { prefix: 'a/', limit: 2 }, want: ['a/1=5@5+5', 'a/2=2@3+2'], count: 4, more: true },
  { name: 'a last page', query: { prefix: 'a/', limit: 2, startAfter: 'a/2' }, want: ['a/3=1@2+2', 'a/4=5@5+5'], count: 2 },
  { name: 'a page after a key that is gone', query: { prefix: 'a/', startAfter: 'a/25' }, want: ['a/3=1@2+2', 'a/4=5@5+5'], count: 2 },
  { name: 'a page after the last key', query: { prefix: 'a/', startAfter: 'a/4' }, want: [], count: 0 },
  {
    name: 'a page that starts before the prefix',
    query: { prefix: 'a/', startAfter: 'a', limit: 1 },
    want: ['a/1=5@5+5'],
    count: 4,
    more: true,
  },
  { name: 'no limit as 0', query: { prefix: 'a/', limit: 0, startAfter: 'a/3' }, want: ['a/4=5@5+5'], count: 1 },
  { name: 'only the count', query: { prefix: 'a/', countOnly: true }, want: [], count: 4 },
  { name: 'the count of one key', query: { key: 'a/1', countOnly: true }, want: [], count: 1 },
  { name: 'the empty store at its start', query: { prefix: '', atRevision: 1 }, want: [], count: 0 },
  { name: 'revision 2', query: { prefix: '', atRevision: 2 }, want: ['a/1=1@2+2', 'a/2=1@2+2', 'a/3=1@2+2', 'b/1=1@2+2'], count: 4 },
  { name: 'revision 4', query: { prefix: '', atRevision: 4 }, want: ['a/2=2@3+2', 'a/3=1@2+2', 'b/1=1@2+2'], count: 3 },
  {
    name: 'a page of revision 3',
    query: { prefix: 'a/', atRevision: 3, limit: 1, startAfter: 'a/1' },
    want: ['a/2=2@3+2'],
    count: 2,
    more: true,
  },
  { name: 'the newest revision by number', query: { prefix: 'a/', atRevision: 6, limit: 1 }, want: ['a/1=5@5+5'], count: 4, more: true },
];

export function testRanges(implementation: Implementation): void {
  const { open } = implementation;
  const it = itOf(implementation);
  it('range', async (t) => {
    await using store = await open({ clock: realClock });
    await committed(store, put('a/1', '1'), put('a/2', '1'), put('a/3', '1'), put('b/1', '1'));
    await committed(store, put('a/2', '2'));
    await committed(store, { key: 'a/1' });
    await committed(store, put('a/1', '5'), put('a/4', '5'));
    await committed(store, { key: 'b/1' });
    for (const row of rows) {
      await t.test(row.name, async () => {
        const result = await store.range(row.query);
        assert.deepEqual(
          { items: result.items.map(describeItem), count: result.count, more: result.more, revision: result.revision },
          { items: row.want, count: row.count, more: row.more ?? false, revision: row.query.atRevision ?? 6 },
        );
      });
    }
    await t.test('a revision that is not there yet', async () => {
      await assert.rejects(store.range({ prefix: '', atRevision: 7 }), FutureRevisionError);
    });
  });

  it('range: pages of a pinned revision are whole and without repetition while others write', async () => {
    await using store = await open({ clock: realClock });
    const keys = Array.from({ length: 250 }, (_, i) => `p/${String(i * 7919).padStart(8, '0')}`).sort();
    for (let at = 0; at < keys.length; at += 50) await committed(store, ...keys.slice(at, at + 50).map((key) => put(key, 'old')));
    const atRevision = await store.latestRevision();
    const seen: string[] = [];
    const counts: number[] = [];
    for (let startAfter = ''; ; ) {
      const page = await store.range({ prefix: 'p/', limit: 60, startAfter, atRevision });
      seen.push(...page.items.map((item) => `${item.key}=${Buffer.from(item.value)}`));
      counts.push(page.count);
      startAfter = page.items.at(-1)?.key ?? '';
      if (!page.more) break;
      await Promise.all(
        keys.map((key, i) => store.commit(i % 3 === 0 ? [{ key }] : [put(key, 'new'), put(`${key}/added${seen.length}`, 'new')])),
      );
    }
    assert.deepEqual(
      seen,
      keys.map((key) => `${key}=old`),
    );
    assert.deepEqual(counts, [250, 190, 130, 70, 10]);
  });

  it('range: keeps keys in order, whatever their order of arrival', async () => {
    await using store = await open({ clock: realClock });
    const keys = Array.from({ length: 2000 }, (_, i) => `k/${((i * 7919) % 2000).toString().padStart(4, '0')}`);
    await Promise.all(keys.map((key) => store.commit([put(key, key)])));
    const deleted = new Set(keys.filter((_, i) => i % 5 === 0));
    await Promise.all([...deleted].map((key) => store.commit([{ key }])));
    const { items } = await store.range({ prefix: 'k/' });
    assert.deepEqual(
      items.map((item) => item.key),
      keys.filter((key) => !deleted.has(key)).sort(),
    );
  });
}
