/** An ordered map does what a sorted `Map` does. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { OrderedMap } from './ordered-map.ts';

function checkAgainstMap(changes: readonly { key: number; remove: boolean }[], starts: readonly number[]): void {
  const map = new OrderedMap<number, number>();
  const model = new Map<number, number>();
  for (const [at, { key, remove }] of changes.entries()) {
    if (remove) assert.equal(map.delete(key), model.delete(key));
    else {
      map.set(key, at);
      model.set(key, at);
    }
    assert.equal(map.get(key), model.get(key));
  }
  assert.equal(map.size, model.size);
  const sorted = [...model].sort(([a], [b]) => a - b);
  for (const start of starts)
    assert.deepEqual(
      [...map.from(start)],
      sorted.filter(([key]) => key >= start),
    );
}

it('in any order of keys', () => {
  const change = fc.record({ key: fc.integer({ min: 0, max: 2000 }), remove: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 3000, size: 'max' }),
      fc.array(fc.integer({ min: -1, max: 2001 }), { maxLength: 5 }),
      checkAgainstMap,
    ),
    { numRuns: 30 },
  );
});

const orders: readonly { name: string; keyAt: (at: number) => number }[] = [
  { name: 'ascending', keyAt: (at) => at },
  { name: 'descending', keyAt: (at) => 5000 - at },
  { name: 'scattered', keyAt: (at) => (at * 7919) % 5003 },
];
for (const { name, keyAt } of orders) {
  it(`thousands of keys, ${name}, half of them removed again`, () => {
    const changes = Array.from({ length: 5000 }, (_, at) => ({ key: keyAt(at), remove: false }));
    const removals = changes.filter((_, at) => at % 2 === 0).map(({ key }) => ({ key, remove: true }));
    checkAgainstMap([...changes, ...removals], [-1, 0, 255, 256, 257, 2500, 4999, 6000]);
  });
}
