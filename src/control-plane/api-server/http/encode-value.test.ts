import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indented, indentedTexts } from './encode-value.ts';

test('JSON for people is indented, unless it would be mostly blanks', () => {
  assert.equal(indented({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}');
  let deep: object = Array.from({ length: 10_000 }, () => 0);
  for (let i = 0; i < 400; i++) deep = { a: deep };
  assert.equal(indented(deep), JSON.stringify(deep));
});

const large = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, `a\n"${i}`]));
const values: readonly { readonly name: string; readonly value: object }[] = [
  { name: 'a small one', value: { a: [{ b: 'c\nd' }], e: {}, f: [], g: null, h: undefined } },
  { name: 'one with many fields, deep down', value: { kind: 'A', data: large(5000), last: [1, { a: 2 }] } },
  { name: 'a long list', value: { items: Array.from({ length: 3000 }, (_, i) => (i % 2 ? { i, none: undefined } : [i, undefined])) } },
  { name: 'many long lists', value: [large(1500), large(1500), []] },
];
for (const { name, value } of values) {
  test(`what is indented text by text is what is indented at once: ${name}`, () => {
    assert.equal(indentedTexts(value).toArray().join(''), indented(value));
    const item = indentedTexts(value, '    ').toArray().join('');
    assert.equal(JSON.stringify({ items: [value] }, null, 2), `{\n  "items": [\n    ${item}\n  ]\n}`);
  });
}

test('no text of a large value is long', () => {
  const texts = indentedTexts({ data: large(50_000) }).toArray();
  assert.ok(Math.max(...texts.map(({ length }) => length)) < 20_000);
});
