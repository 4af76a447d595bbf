import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shares } from './shares.ts';

const rows = [
  { name: 'room', held: [1, 1], asks: 1, want: undefined },
  { name: 'none left, and it has them all', held: [1, 1, 1, 1], asks: 1, want: 1 },
  { name: 'none left, and another has them all', held: [1, 1, 1, 1], asks: 2, want: 1 },
  { name: 'none left, and one of several has more', held: [1, 2, 2, 3], asks: 3, want: 2 },
  { name: 'none left, and all have the same', held: [1, 1, 2, 2], asks: 1, want: 1 },
  { name: 'none left, one each: a port without any gets one', held: [1, 2, 3, 4], asks: 5, want: 1 },
  { name: 'what was given back is there again', held: [1, 2, 3, 4], gives: 3, asks: 5, want: undefined },
];
for (const { name, held, gives, asks, want } of rows) {
  test(name, () => {
    const shares = new Shares<number>(4);
    for (const [one, port] of held.entries()) shares.take(port, one);
    for (const one of gives === undefined ? [] : [...shares.of(gives), 99]) shares.give(gives ?? 0, one);
    assert.equal(shares.giverFor(asks), want);
  });
}

test('in the order of use', () => {
  const shares = new Shares<string>(4);
  for (const one of ['a', 'b', 'a']) shares.take(1, one);
  assert.deepEqual([...shares.of(1)], ['b', 'a']);
  assert.deepEqual([...shares], ['b', 'a']);
});
