import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { describeFieldError } from '../../meta/status-error.ts';
import { takeSteps } from '../../meta/steps.ts';
import { schemaOfCustomResource } from './custom-schema.ts';

const rooted = (spec: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { spec, status: spec } });

function problems(spec: JSONSchemaProps, value: unknown, { old, part }: { old?: unknown; part?: 'status' } = {}): readonly string[] {
  const { custom } = schemaOfCustomResource(() => rooted(spec));
  const wrapped = (given: unknown): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: {}, [part ?? 'spec']: given });
  const steps = custom?.validate(wrapped(value), { old: old === undefined ? undefined : wrapped(old), part });
  return takeSteps(steps ?? assert.fail()).map(describeFieldError);
}

interface Row {
  readonly schema: JSONSchemaProps;
  readonly value: unknown;
  readonly want: readonly string[];
}
const ofType = (field: string, type: string, given: string): string =>
  `${field}: Invalid value: "${given}": ${field} in body must be of type ${type}: "${given}"`;
const listMap: JSONSchemaProps = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['n'],
  items: { type: 'object', properties: { n: { type: 'string' }, v: { type: 'integer', maximum: 5 } } },
};

const rows: readonly Row[] = [
  { schema: { type: 'string' }, value: 5, want: [ofType('spec', 'string', 'integer')] },
  { schema: { type: 'string' }, value: null, want: [ofType('spec', 'string', 'null')] },
  { schema: { type: 'string', nullable: true }, value: null, want: [] },
  { schema: { type: 'string', nullable: true, enum: ['a'] }, value: null, want: ['spec: Unsupported value: null: supported values: "a"'] },
  {
    schema: { type: 'integer' },
    value: 1.5,
    want: [ofType('spec', 'integer', 'number'), '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec'],
  },
  { schema: { type: 'number' }, value: 1, want: [] },
  { schema: { 'x-kubernetes-int-or-string': true }, value: true, want: [ofType('spec', 'integer,string', 'boolean')] },
  { schema: { type: 'object' }, value: [], want: [ofType('spec', 'object', 'array')] },
  { schema: { type: 'string', maxLength: 1 }, value: 'ab', want: ['spec: Too long: may not be more than 1 byte'] },
  { schema: { type: 'string', maxLength: 1 }, value: '\u{1f600}', want: [] },
  {
    schema: { type: 'string', minLength: 2 },
    value: '\u{1f600}',
    want: ['spec: Invalid value: "\u{1f600}": spec in body should be at least 2 chars long'],
  },
  {
    schema: { type: 'string', pattern: '^a' },
    value: 'b\u0001',
    want: ['spec: Invalid value: "b\\x01": spec in body should match \'^a\''],
  },
  {
    schema: { type: 'integer', format: 'int32' },
    value: 3_000_000_000,
    want: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec'],
  },
  {
    schema: { type: 'integer', maximum: 2.5, minimum: 3, exclusiveMinimum: true, multipleOf: 2 },
    value: 3,
    want: [
      'spec: Invalid value: 3: spec in body should be a multiple of 2',
      'spec: Invalid value: 3: spec in body should be greater than 3',
      '<nil>: Invalid value: "": Maximum boundary value must be of type integer (default format) in spec',
      'spec: Invalid value: 3: spec in body should be less than or equal to 2.5',
    ],
  },
  {
    schema: { type: 'number', multipleOf: 0.5 },
    value: 1,
    want: ['spec: Invalid value: 0: factor MultipleOf declared for spec must be positive: 0'],
  },
  { schema: { type: 'number', multipleOf: 0.1 }, value: 0.3, want: [] },
  { schema: { type: 'number', enum: [1, 2] }, value: 1.5, want: [] },
  { schema: { type: 'integer', enum: [1, 2] }, value: 3, want: ['spec: Unsupported value: 3: supported values: "1", "2"'] },
  {
    schema: { type: 'array', minItems: 2, items: { type: 'integer' } },
    value: ['a'],
    want: [ofType('spec[0]', 'integer', 'string'), 'spec: Invalid value: 1: spec in body should have at least 2 items'],
  },
  {
    schema: { type: 'array', maxItems: 1, items: { type: 'integer' } },
    value: [1, 2],
    want: ['spec: Too many: 2: must have at most 1 item'],
  },
  {
    schema: { type: 'array', uniqueItems: true, items: {} },
    value: [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    want: ['spec: Invalid value: "": spec in body shouldn\'t contain duplicates'],
  },
  {
    schema: { type: 'object', required: ['a'], minProperties: 1, properties: { a: { type: 'string' } } },
    value: {},
    want: ['spec: Invalid value: 0: spec in body should have at least 1 properties', 'spec.a: Required value'],
  },
  {
    schema: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 1 },
    value: { a: 1, b: 'x' },
    want: ['spec: Too many: 2: must have at most 1 item', ofType('spec.a', 'string', 'integer')],
  },
  {
    schema: { type: 'object', additionalProperties: false },
    value: { a: 1 },
    want: ['spec: Invalid value: "a": spec.a in body is a forbidden property'],
  },
  {
    schema: { type: 'integer', allOf: [{ minimum: 2 }, { minimum: 0 }] },
    value: 1,
    want: [
      'spec: Invalid value: 1: spec in body should be greater than or equal to 2',
      '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)',
    ],
  },
  {
    schema: { type: 'integer', anyOf: [{ minimum: 3, multipleOf: 2 }, { maximum: 0 }] },
    value: 1,
    want: [
      '<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)',
      'spec: Invalid value: 1: spec in body should be a multiple of 2',
      'spec: Invalid value: 1: spec in body should be greater than or equal to 3',
    ],
  },
  {
    schema: { type: 'integer', oneOf: [{ minimum: 0 }, { minimum: 1 }] },
    value: 1,
    want: ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  },
  {
    schema: { type: 'integer', not: { minimum: 0 } },
    value: 1,
    want: ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
  },
  {
    schema: { type: 'object', properties: { a: {}, b: {} }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    value: {},
    want: ['<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid', 'spec.a: Required value'],
  },
  {
    schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    value: ['a', 'b', 'a', 'a'],
    want: ['spec[2]: Duplicate value: "a"'],
  },
  {
    schema: listMap,
    value: [{ n: 'a' }, { n: 'b' }, { n: 'a' }, {}, {}],
    want: ['spec[2]: Duplicate value: {"n":"a"}', 'spec[4]: Duplicate value: {}'],
  },
  {
    schema: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    value: { apiVersion: 'a/b/c', metadata: { name: 'a/b' } },
    want: [
      'spec.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'spec.kind: Required value',
      'spec.metadata.name: Invalid value: "a/b": may not contain \'/\'',
    ],
  },
  {
    schema: { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-validations': [{ rule: 'true' }] },
    value: { a: 1 },
    want: [
      ofType('spec.a', 'string', 'integer'),
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  },
];

for (const { schema, value, want } of rows) {
  test(`${JSON.stringify(value)} by ${JSON.stringify(schema)}`, () => assert.deepEqual(problems(schema, value), want));
}

const bad = {
  type: 'object',
  properties: { a: { type: 'integer', maximum: 5 }, b: { type: 'string' }, list: listMap },
} satisfies JSONSchemaProps;
const tooBig = (field: string, value: number): string =>
  `${field}: Invalid value: ${value}: ${field} in body should be less than or equal to 5`;

const ratcheted: readonly { name: string; old: unknown; value: unknown; want: readonly string[]; schema?: JSONSchemaProps }[] = [
  { name: 'what was wrong before and did not change', old: { a: 9 }, value: { a: 9, b: 'x' }, want: [] },
  { name: 'what changed', old: { a: 9 }, value: { a: 8 }, want: [tooBig('spec.a', 8)] },
  {
    name: 'an item with its key',
    old: { list: [{ n: 'a', v: 9 }] },
    value: {
      list: [
        { n: 'b', v: 1 },
        { n: 'a', v: 9 },
      ],
    },
    want: [],
  },
  { name: 'a new item', old: { list: [{ n: 'a', v: 9 }] }, value: { list: [{ n: 'b', v: 9 }] }, want: [tooBig('spec.list[0].v', 9)] },
  {
    name: 'a list that had an item twice may',
    old: { list: [{ n: 'a' }, { n: 'a' }] },
    value: { list: [{ n: 'a' }, { n: 'a' }, { n: 'b' }] },
    want: [],
  },
  {
    name: 'below joined schemas nothing is forgiven',
    schema: {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'string' } },
      allOf: [{ properties: { a: { maximum: 5 } } }],
    },
    old: { a: 9 },
    value: { a: 9, b: 'x' },
    want: [tooBig('spec.a', 9), '<nil>: Invalid value: "": "spec" must validate all the schemas (allOf). None validated'],
  },
  {
    name: 'a whole object that did not change',
    schema: { type: 'object', properties: { a: { type: 'integer' } }, minProperties: 2 },
    old: { a: 9 },
    value: { a: 9 },
    want: [],
  },
];

for (const { name, old, value, want, schema = bad } of ratcheted) {
  test(`ratcheting: ${name}`, () => assert.deepEqual(problems(schema, value, { old }), want));
}

test('of a status, paths in messages begin there', () => {
  const want = ['status.a: Invalid value: 9: a in body should be less than or equal to 5'];
  assert.deepEqual(problems(bad, { a: 9 }, { part: 'status' }), want);
  assert.deepEqual(problems(bad, { a: 9 }, { part: 'status', old: { a: 9 } }), []);
});

test('a long list is judged in slices', () => {
  const { custom } = schemaOfCustomResource(() => rooted({ type: 'array', items: { type: 'string' } }));
  const steps = custom?.validate({ spec: Array.from({ length: 100_000 }, () => 'a') }, {}) ?? assert.fail();
  let slices = 0;
  while (!steps.next().done) slices++;
  assert.ok(slices >= 40, `${slices}`);
});

const many = 20_000;
const long = Array.from({ length: many }, (_, i) => `v${i}`);
const costly: readonly { readonly name: string; readonly items: JSONSchemaProps; readonly value: unknown }[] = [
  { name: 'a long enumeration', items: { type: 'string', enum: long as never }, value: 'a' },
  { name: 'many required fields', items: { type: 'object', required: long }, value: {} },
  { name: 'many fields that are required together', items: { type: 'object', anyOf: [{ required: long }] }, value: {} },
];
/** What grows with the product of both takes minutes. */
const costlyMsMax = 1500;

for (const { name, items, value } of costly) {
  test(`${name} and a list as long: the search ends with what is told`, () => {
    const before = process.threadCpuUsage().user;
    const found = problems({ type: 'array', items }, Array(many).fill(value));
    const spentMs = (process.threadCpuUsage().user - before) / 1000;
    assert.ok(spentMs < costlyMsMax, `${Math.round(spentMs)} ms`);
    assert.ok(found.length > 1, String(found.length));
  });
}

test('what an enumeration lists is found by its value', () => {
  const listed: JSONSchemaProps = {
    'x-kubernetes-preserve-unknown-fields': true,
    enum: ['a', 1, 0.5, true, { b: [1], c: 2 }, '{"b":[1]}'] as never,
  };
  for (const value of ['a', 1, 0.5, true, { c: 2, b: [1] }]) assert.deepEqual(problems(listed, value), []);
  for (const value of ['b', 2, 0.25, false, { b: [1] }, [1], '1']) assert.equal(problems(listed, value).length, 1, JSON.stringify(value));
});
