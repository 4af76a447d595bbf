/** Rules in CEL: what is refused of a definition, and what they find in objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps, ValidationRule } from '../../../generated/apiextensions-v1.ts';
import { describeFieldError } from '../../../meta/status-error.ts';
import { takeSteps } from '../../../meta/steps.ts';
import { checkDefinitionSchema } from '../check-definition.ts';
import { schemaOfCustomResource } from '../custom-schema.ts';
import { Path } from '../places.ts';
import { escapeName, unescapeName } from './names.ts';

const rooted = (a: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { a } });
const ruled = (schema: JSONSchemaProps, ...rules: readonly ValidationRule[]): JSONSchemaProps => ({
  ...schema,
  'x-kubernetes-validations': rules,
});
const text: JSONSchemaProps = { type: 'string', maxLength: 10 };
const listOf = (items: JSONSchemaProps, more: JSONSchemaProps = {}): JSONSchemaProps => ({ type: 'array', items, ...more });

const shown = (rule: string, more: object = {}): string =>
  JSON.stringify({ Rule: rule, Message: '', MessageExpression: '', Reason: null, FieldPath: '', OptionalOldSelf: null, ...more });
const exceeds = (what: string, factor: string): string =>
  `Forbidden: ${what} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;

const definitions: readonly { readonly schema: JSONSchemaProps; readonly want: readonly string[] }[] = [
  { schema: ruled(text, { rule: 'self.size() > 1', messageExpression: '"no " + self' }), want: [] },
  {
    schema: ruled(text, { rule: 'self.foo' }),
    want: [
      `.x-kubernetes-validations[0].rule: Invalid value: ${shown('self.foo')}: compilation failed: ERROR: <input>:1:5: type 'string' does not support field selection\n | self.foo\n | ....^`,
    ],
  },
  {
    schema: ruled(text, { rule: '1' }),
    want: [`.x-kubernetes-validations[0].rule: Invalid value: ${shown('1')}: cel expression must evaluate to a bool`],
  },
  {
    schema: ruled(text, { rule: 'true', messageExpression: '1' }),
    want: [
      `.x-kubernetes-validations[0].messageExpression: Invalid value: ${shown('true', { MessageExpression: '1' })}: messageExpression must evaluate to a string`,
    ],
  },
  {
    schema: ruled(text, { rule: 'true', optionalOldSelf: true }),
    want: ['.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule'],
  },
  {
    schema: listOf(ruled(text, { rule: 'self == oldSelf' }), { maxItems: 5 }),
    want: [
      '.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[a]',
    ],
  },
  {
    schema: ruled(listOf({ type: 'string' }), { rule: 'self.all(x, self.all(y, x == y))' }),
    want: [
      `.x-kubernetes-validations[0].rule: ${exceeds('estimated rule cost', 'more than 100x')}`,
      '.x-kubernetes-validations[0].rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
      `s: ${exceeds('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', 'more than 100x')}`,
    ],
  },
  { schema: listOf(ruled(text, { rule: 'self.matches("^a")' }), { maxItems: 100 }), want: [] },
  { schema: { ...ruled(text, { rule: 'self == "b"' }), default: 'a' }, want: ['.default: Invalid value: "a": failed rule: self == "b"'] },
  {
    schema: ruled({ type: 'object', properties: { 'a.b': text, in: text } }, { rule: 'self.a__dot__b == self.__in__' }),
    want: [],
  },
];

for (const { schema, want } of definitions) {
  test(`of a definition: ${JSON.stringify(schema)}`, () => {
    const found = takeSteps(checkDefinitionSchema(rooted(schema), new Path('s'), { hasStatus: false, leniency: {} })).map(
      describeFieldError,
    );
    assert.deepEqual(
      found,
      want.map((problem) => (problem.startsWith('.') ? `s.properties[a]${problem}` : problem)),
    );
  });
}

test('what rules cost counts for a definition that did not change, but alone', () => {
  const schema = rooted(ruled(listOf(text, { maxItems: 2000 }), { rule: 'self.all(x, self.all(y, x == y))' }));
  const problems = (isUnchanged: boolean): number =>
    takeSteps(checkDefinitionSchema(schema, new Path('s'), { hasStatus: false, leniency: {}, isUnchanged })).length;
  assert.deepEqual([problems(false), problems(true)], [1, 0]);
});

interface Row {
  readonly name: string;
  readonly schema: JSONSchemaProps;
  readonly value: unknown;
  readonly old?: unknown;
  readonly want: readonly string[];
}
const pair = (...rules: readonly ValidationRule[]): JSONSchemaProps =>
  ruled({ type: 'object', properties: { b: { type: 'integer', nullable: true }, c: { type: 'integer' }, 'd-e': text } }, ...rules);
const byKey = (rule: string): JSONSchemaProps =>
  listOf(ruled({ type: 'object', properties: { n: text, v: { type: 'integer' } } }, { rule }), {
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['n'],
  });

const costly = '[1,2,3,4,5,6,7,8,9].all(x, [1,2,3,4,5,6,7,8,9].all(y, x + y > 0))';

const objects: readonly Row[] = [
  { name: 'a rule that holds', schema: pair({ rule: 'self.b < self.c' }), value: { b: 1, c: 2 }, want: [] },
  {
    name: 'one that does not, of an object',
    schema: pair({ rule: 'self.b < self.c' }),
    value: { b: 2, c: 2 },
    want: ['a: Invalid value: failed rule: self.b < self.c'],
  },
  { name: 'its message', schema: ruled(text, { rule: 'false', message: ' m ' }), value: 'x', want: ['a: Invalid value: "x": m'] },
  {
    name: 'a message that is computed',
    schema: ruled(text, { rule: 'false', messageExpression: '"not " + self' }),
    value: 'x',
    want: ['a: Invalid value: "x": not x'],
  },
  {
    name: 'one that comes to nothing',
    schema: ruled(text, { rule: 'false', message: 'm', messageExpression: '" "' }),
    value: 'x',
    want: ['a: Invalid value: "x": m'],
  },
  {
    name: 'reason and field',
    schema: pair({ rule: 'false', reason: 'FieldValueForbidden', fieldPath: '.d-e' }),
    value: {},
    want: ['a.d-e: Forbidden: failed rule: false'],
  },
  {
    name: 'a value that is not there',
    schema: pair({ rule: 'self.b < self.c' }),
    value: { b: 1 },
    want: ['a: Invalid value: "object": no such key: c evaluating rule: self.b < self.c'],
  },
  {
    name: 'null is as absent',
    schema: pair({ rule: 'has(self.b)' }),
    value: { b: null },
    want: ['a: Invalid value: failed rule: has(self.b)'],
  },
  { name: 'names that have to be escaped', schema: pair({ rule: 'self.d__dash__e == "x"' }), value: { 'd-e': 'x' }, want: [] },
  {
    name: 'either integer or string',
    schema: ruled({ 'x-kubernetes-int-or-string': true }, { rule: 'type(self) == int ? self < 3 : self == "x"' }),
    value: 5,
    want: ['a: Invalid value: 5: failed rule: type(self) == int ? self < 3 : self == "x"'],
  },
  {
    name: 'times',
    schema: ruled({ type: 'string', format: 'duration' }, { rule: 'self < duration("1h")' }),
    value: '2 hours',
    want: ['a: Invalid value: "2 hours": failed rule: self < duration("1h")'],
  },
  { name: 'of a new value nothing is asked about the old', schema: ruled(text, { rule: 'self == oldSelf' }), value: 'x', want: [] },
  {
    name: 'of a changed one it is',
    schema: ruled(text, { rule: 'self == oldSelf' }),
    value: 'x',
    old: 'y',
    want: ['a: Invalid value: "x": failed rule: self == oldSelf'],
  },
  {
    name: 'an old value that need not be',
    schema: ruled(text, { rule: 'oldSelf.hasValue()', optionalOldSelf: true }),
    value: 'x',
    want: ['a: Invalid value: "x": failed rule: oldSelf.hasValue()'],
  },
  {
    name: 'items by their keys',
    schema: byKey('self.v >= oldSelf.v'),
    value: [
      { n: 'y', v: 0 },
      { n: 'x', v: 1 },
    ],
    old: [{ n: 'x', v: 2 }],
    want: ['a[1]: Invalid value: failed rule: self.v >= oldSelf.v'],
  },
  {
    name: 'what did not change is forgiven',
    schema: ruled(text, { rule: 'self == "b"' }),
    value: 'x',
    old: 'x',
    want: ['forgiven a: Invalid value: "x": failed rule: self == "b"'],
  },
  {
    name: 'the cost of all rules',
    schema: listOf(ruled({ type: 'integer' }, { rule: costly }, { rule: `${costly} ` })),
    value: Array.from({ length: 9000 }, () => 1),
    want: [
      'a[8278]: Invalid value: "integer": validation failed due to running out of cost budget, no further validation rules will be run',
    ],
  },
];

for (const { name, schema, value, old, want } of objects) {
  test(`of an object: ${name}`, () => {
    const { custom } = schemaOfCustomResource(() => rooted(schema));
    const whole = (a: unknown): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: {}, a });
    const found = takeSteps(custom?.validate(whole(value), { old: old === undefined ? undefined : whole(old) }) ?? assert.fail());
    assert.deepEqual(
      found.map((error) => `${error.isForgiven ? 'forgiven ' : ''}${describeFieldError(error)}`),
      want,
    );
  });
}

test('metadata is seen at the root', () => {
  const { custom } = schemaOfCustomResource(() =>
    ruled({ type: 'object' }, { rule: 'self.metadata.name == "x" && self.kind == "Widget"' }),
  );
  const found = (name: string): number =>
    takeSteps(custom?.validate({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name } }, {}) ?? assert.fail()).length;
  assert.deepEqual([found('x'), found('y')], [0, 1]);
});

test('names', () => {
  const rows = { a: 'a', 'a-b.c/d': 'a__dash__b__dot__c__slash__d', a__b: 'a__underscores__b', namespace: '__namespace__' };
  for (const [name, escaped] of Object.entries(rows)) {
    assert.equal(escapeName(name), escaped);
    assert.equal(unescapeName(escaped), name);
  }
  for (const name of ['', '1a', 'a b', 'ä']) assert.equal(escapeName(name), undefined);
});
