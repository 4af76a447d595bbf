import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indented, indentedItem } from './encode-value.ts';

test('JSON for people is indented, unless it would be mostly blanks', () => {
  assert.equal(indented({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}');
  let deep: object = Array.from({ length: 10_000 }, () => 0);
  for (let i = 0; i < 400; i++) deep = { a: deep };
  assert.equal(indented(deep), JSON.stringify(deep));
});

test('an item of a list is indented as it stands there', () => {
  const item = { a: [{ b: 'c\nd' }], e: {} };
  assert.equal(JSON.stringify({ items: [item] }, null, 2), `{\n  "items": [\n    ${indentedItem(item)}\n  ]\n}`);
});
