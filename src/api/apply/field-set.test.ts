import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { widget, widgets } from '../../../test/kit/apply-objects.ts';
import { takeSteps } from '../meta/steps.ts';
import {
  differenceOf,
  equalSets,
  type FieldSet,
  fieldSetOf,
  hasField,
  intersectionOf,
  isEmpty,
  parseFieldSet,
  pathsOf,
  recursiveDifferenceOf,
  sorted,
  unionOf,
} from './field-set.ts';
import { fieldsOf } from './fields-of.ts';
import { describePath, type FieldPath } from './path-element.ts';

const textOf = (set: FieldSet): string => JSON.stringify(takeSteps(sorted(set)));

const rows: readonly { name: string; given: FieldSet; want: string }[] = [
  {
    name: 'the union of a branch and its parent',
    given: unionOf({ 'f:a': { 'f:b': {} } }, { 'f:a': {} }),
    want: '{"f:a":{".":{},"f:b":{}}}',
  },
  {
    name: 'the union of a parent and its branch',
    given: unionOf({ 'f:a': {} }, { 'f:a': { 'f:b': {} } }),
    want: '{"f:a":{".":{},"f:b":{}}}',
  },
  {
    name: 'the union of branches',
    given: unionOf({ 'f:b': {}, 'f:a': { 'f:c': {} } }, { 'f:a': { '.': {}, 'f:b': {} } }),
    want: '{"f:a":{".":{},"f:b":{},"f:c":{}},"f:b":{}}',
  },
  {
    name: 'what is in both',
    given: intersectionOf({ 'f:a': { 'f:b': {}, 'f:c': {} } }, { 'f:a': { '.': {}, 'f:b': {} } }),
    want: '{"f:a":{"f:b":{}}}',
  },
  {
    name: 'a parent that is in both',
    given: intersectionOf({ 'f:a': { '.': {}, 'f:c': {} } }, { 'f:a': { '.': {}, 'f:b': {} } }),
    want: '{"f:a":{}}',
  },
  { name: 'nothing in both', given: intersectionOf({ 'f:a': {} }, { 'f:a': { 'f:b': {} } }), want: '{}' },
  { name: 'a parent without its branch stays', given: differenceOf({ 'f:a': {} }, { 'f:a': { 'f:b': {} } }), want: '{"f:a":{}}' },
  {
    name: 'a branch without its parent stays',
    given: differenceOf({ 'f:a': { '.': {}, 'f:b': {} } }, { 'f:a': {} }),
    want: '{"f:a":{"f:b":{}}}',
  },
  { name: 'the last of a branch takes it along', given: differenceOf({ 'f:a': { 'f:b': {} } }, { 'f:a': { 'f:b': {} } }), want: '{}' },
  {
    name: 'the last below a member leaves the member',
    given: differenceOf({ 'f:a': { '.': {}, 'f:b': {} } }, { 'f:a': { 'f:b': {} } }),
    want: '{"f:a":{}}',
  },
  {
    name: 'a member and all below it',
    given: recursiveDifferenceOf({ 'f:a': { 'f:b': {} }, 'f:c': {} }, { 'f:a': {} }),
    want: '{"f:c":{}}',
  },
  {
    name: 'only a branch of it',
    given: recursiveDifferenceOf({ 'f:a': { '.': {}, 'f:b': {} } }, { 'f:a': { 'f:b': {} } }),
    want: '{"f:a":{}}',
  },
  {
    name: 'fields, keys, values, indices, each in its order',
    given: {
      'i:10': {},
      'i:9': {},
      'v:"b"': {},
      'v:10': {},
      'v:9': {},
      'k:{"n":10}': {},
      'k:{"n":9}': {},
      'k:{"m":"z"}': {},
      'f:b': {},
      'f:a.b': {},
      'f:a': {},
    },
    want: '{"f:a":{},"f:a.b":{},"f:b":{},"k:{\\"m\\":\\"z\\"}":{},"k:{\\"n\\":9}":{},"k:{\\"n\\":10}":{},"v:9":{},"v:10":{},"v:\\"b\\"":{},"i:9":{},"i:10":{}}',
  },
  { name: 'by bytes of UTF-8, not by UTF-16', given: { 'f:\u{1F600}': {}, 'f:\uFFFD': {} }, want: '{"f:\uFFFD":{},"f:\u{1F600}":{}}' },
];
for (const { name, given, want } of rows) test(`field set: ${name}`, () => assert.equal(textOf(given), want));

const parsed: readonly { name: string; given: unknown; want: string }[] = [
  { name: 'null below a step', given: { 'f:a': null }, want: '{"f:a":{}}' },
  { name: 'a member that says so alone', given: { 'f:a': { '.': {} } }, want: '{"f:a":{}}' },
  {
    name: 'keys in another order and with spaces',
    given: { 'k:{"b": 1, "a":"<"}': {} },
    want: '{"k:{\\"a\\":\\"\\\\u003c\\",\\"b\\":1}":{}}',
  },
  { name: 'a step of a sort that is not known', given: { 'z:a': {}, 'f:b': {} }, want: '{"f:b":{}}' },
  { name: 'two texts of one step', given: { 'v:1.0': { 'f:a': {} }, 'v:1': { 'f:b': {} } }, want: '{"v:1":{"f:a":{},"f:b":{}}}' },
  {
    name: 'words of every object',
    given: JSON.parse('{"f:__proto__":{"f:constructor":{}}}'),
    want: '{"f:__proto__":{"f:constructor":{}}}',
  },
];
for (const { name, given, want } of parsed)
  test(`field set from a client: ${name}`, () => assert.equal(textOf(parseFieldSet(given)), want));

for (const given of [{ a: {} }, { __: {} }, { 'v:': {} }, { 'k:[]': {} }, { 'i:x': {} }, { 'f:a': 'b' }, []]) {
  test(`field set from a client: ${JSON.stringify(given)} is refused`, () => assert.throws(() => parseFieldSet(given), Error));
}

test('members of one level come before what is below them', () => {
  const set: FieldSet = { 'f:a': { '.': {}, 'f:z': {} }, 'f:b': { 'k:{"name":"x","port":1}': { 'f:y': {} }, 'v:"q"': {} } };
  const paths = [...pathsOf(set)];
  assert.deepEqual(paths.map(describePath), ['.a', '.a.z', '.b[="q"]', '.b[name="x",port=1].y']);
  for (const path of paths) assert.ok(hasField(set, path));
  assert.ok(!hasField(set, ['f:b']) && !hasField(set, ['f:c']) && !hasField(set, []));
  assert.ok(equalSets(fieldSetOf(...paths), set));
});

const sets = widgets.map((object) => fieldsOf(widget, object));
const law = (name: string, holds: (a: FieldSet, b: FieldSet, c: FieldSet) => void): Promise<void> =>
  test(`laws of field sets: ${name}`, () => fc.assert(fc.property(sets, sets, sets, holds), { numRuns: 300 }));

void law('a union has the members of both, in whatever order', (a, b, c) => {
  assert.ok(equalSets(unionOf(a, b), unionOf(b, a)));
  assert.ok(equalSets(unionOf(unionOf(a, b), c), unionOf(a, unionOf(b, c))));
  assert.equal(unionOf(a, a), a);
});
void law('what is in both and what is in one alone make the one', (a, b) => {
  assert.ok(equalSets(unionOf(intersectionOf(a, b), differenceOf(a, b)), a));
  assert.ok(isEmpty(intersectionOf(differenceOf(a, b), b)));
  assert.ok(equalSets(intersectionOf(a, b), intersectionOf(b, a)));
});
void law('what is taken away can be put back', (a, b) => assert.ok(equalSets(unionOf(differenceOf(a, b), b), unionOf(a, b))));
void law('an operation that changes nothing gives its argument', (a, b) => {
  const rest = differenceOf(a, b);
  assert.equal(differenceOf(rest, b), rest);
  const all = unionOf(a, b);
  assert.equal(unionOf(all, b), all);
});
void law('a set is read as it was written', (a) => {
  const written = textOf(a);
  assert.equal(JSON.stringify(parseFieldSet(JSON.parse(written))), written);
});
void law('its paths make it', (a) => {
  const paths: FieldPath[] = [...pathsOf(a)];
  assert.ok(equalSets(fieldSetOf(...paths), a));
  assert.equal(new Set(paths.map(describePath)).size, paths.length);
});
