import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { widget, widgets } from '../../../test/kit/apply-objects.ts';
import { compareObjects } from './compare.ts';
import { equalSets, unionOf } from './field-set.ts';
import { haveSameFields } from './same-fields.ts';
import type { Json } from './structure.ts';

const rows: readonly { name: string; one: Json; other: Json; empty?: Json; want: boolean }[] = [
  { name: 'other values', one: { a: 'x', b: 1 }, other: { b: 2, a: 'y' }, want: true },
  { name: 'a field more', one: { a: 'x' }, other: { a: 'x', b: 1 }, want: false },
  { name: 'a field less', one: { a: 'x', b: 1 }, other: { a: 'x' }, want: false },
  { name: 'a field that is undefined', one: { a: 'x', b: undefined }, other: { a: 'x', b: 1 }, want: false },
  { name: 'another label', one: { labels: { x: '1' } }, other: { labels: { y: '1' } }, want: false },
  { name: 'a word of every object', one: { labels: { constructor: '1' } }, other: { labels: { x: '1' } }, want: false },
  { name: 'no labels, and some', one: { labels: {} }, other: { labels: { y: '1' } }, want: false },
  { name: 'what is owned as a whole', one: { selector: { x: '1' }, args: [] }, other: { selector: {}, args: ['b'] }, want: true },
  { name: 'other values of items', one: { parts: [{ name: 'x', value: 'a' }] }, other: { parts: [{ name: 'x', value: 'b' }] }, want: true },
  { name: 'another item', one: { parts: [{ name: 'x' }] }, other: { parts: [{ name: 'y' }] }, want: false },
  { name: 'another of two keys', one: { ports: [{ port: 80 }] }, other: { ports: [{ port: 80, protocol: 'UDP' }] }, want: false },
  { name: 'another member of a set', one: { finalizers: ['x'] }, other: { finalizers: ['y'] }, want: false },
  { name: 'a list and a map, where the type is open', one: { free: { x: ['1'] } }, other: { free: { x: { y: '1' } } }, want: false },
  { name: 'a text and a map, where the type is open', one: { free: { x: '1' } }, other: { free: { x: {} } }, want: false },
  { name: 'null and a map, where the type is open', one: { free: { x: null } }, other: { free: { x: {} } }, want: false },
  { name: 'of what is there from the start, both another value', one: { b: 1 }, other: { b: 2 }, empty: { b: 0 }, want: true },
  { name: 'of what is there from the start, one the same', one: { b: 1 }, other: { b: 0 }, empty: { b: 0 }, want: false },
  {
    name: 'a map that is there from the start',
    one: { inner: { a: '1' } },
    other: { inner: { a: '2' } },
    empty: { inner: {} },
    want: true,
  },
  {
    name: 'a list that is there from the start',
    one: { parts: [{ name: 'x', value: 'a' }] },
    other: { parts: [{ name: 'x', value: 'b' }] },
    empty: { parts: [] },
    want: true,
  },
  {
    name: 'an item that is there from the start',
    one: { parts: [{ name: 'x', value: 'a' }] },
    other: { parts: [{ name: 'x', value: 'b' }] },
    empty: { parts: [{ name: 'x', value: 'b' }] },
    want: false,
  },
];
for (const { name, one, other, empty = {}, want } of rows)
  test(`have the same fields: ${name}`, () => {
    assert.equal(haveSameFields(widget, { one, other }, empty), want);
    assert.equal(haveSameFields(widget, { one: other, other: one }, empty), want);
  });

/** With other values in some places. */
const changed = (object: Json, from: string): Json => JSON.parse(JSON.stringify(object).replaceAll(`:"${from}"`, ':"c"'));

test('for any two objects that are said to have the same fields, a comparison finds the same', () => {
  const said = { yes: 0 };
  fc.assert(
    fc.property(
      widgets,
      fc.oneof(fc.constantFrom('a', 'b'), widgets),
      fc.oneof(fc.constantFrom({}, { ports: [], parts: [], inner: {}, labels: {}, args: [] }), widgets),
      (one, given, empty) => {
        const other = typeof given === 'string' ? changed(one, given) : given;
        if (!haveSameFields(widget, { one, other }, empty)) return;
        said.yes++;
        const [left, right] = [one, other].map((object) => {
          const { added, modified } = compareObjects(widget, empty, object);
          return unionOf(added, modified);
        });
        assert.ok(left && right && equalSets(left, right));
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(said.yes > 100);
});
