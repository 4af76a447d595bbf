import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IndexSet } from './job-indexes.ts';

const written: { given: number[]; want: string }[] = [
  { given: [], want: '' },
  { given: [3], want: '3' },
  { given: [1, 2], want: '1,2' },
  { given: [0, 2, 3, 4, 9, 8], want: '0,2-4,8,9' },
];
for (const { given, want } of written) test(`written: ${want || 'none'}`, () => assert.equal(String(IndexSet.of(given)), want));

test('what is read is cut at the completions, what is no index left out', () => {
  assert.equal(String(IndexSet.parse('0,2-4,x,7-9', 9)), '0,2-4,7,8');
  assert.equal(String(IndexSet.parse(undefined, 9)), '');
});

test('the first missing are the next to run', () => {
  assert.deepEqual(IndexSet.parse('0,2-4', 10).firstMissing(3, 10), [1, 5, 6]);
  assert.deepEqual(IndexSet.parse('0-8', 10).firstMissing(3, 10), [9]);
  assert.deepEqual(IndexSet.none.firstMissing(2, 1), [0]);
});

const indexes = fc.uniqueArray(fc.nat({ max: 30 }));

test('law: it is a set', () => {
  const property = fc.property(indexes, indexes, (a, b) => {
    const both = IndexSet.of(a).with(IndexSet.of(b));
    const want = new Set([...a, ...b]);
    assert.equal(both.size, want.size);
    for (let i = 0; i <= 31; i++) assert.equal(both.has(i), want.has(i));
    assert.equal(IndexSet.of(a).countCommon(IndexSet.of(b)), a.filter((index) => b.includes(index)).length);
    assert.equal(String(IndexSet.parse(String(both), 100)), String(both));
  });
  fc.assert(property, { seed: 1 });
});
