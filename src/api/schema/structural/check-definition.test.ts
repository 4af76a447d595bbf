import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { describeFieldError } from '../../meta/status-error.ts';
import { takeSteps } from '../../meta/steps.ts';
import { checkDefinitionSchema, leniencyOf, unknownFormats } from './check-definition.ts';
import type { Leniency } from './check-schema.ts';
import { Path } from './places.ts';

interface Options {
  readonly hasStatus?: boolean;
  readonly leniency?: Leniency;
}

function problems(schema: JSONSchemaProps, { hasStatus = false, leniency = {} }: Options = {}): readonly string[] {
  return takeSteps(checkDefinitionSchema(schema, new Path('s'), { hasStatus, leniency })).map(describeFieldError);
}

const rooted = (a: JSONSchemaProps): JSONSchemaProps => ({ type: 'object', properties: { a } });
const ofA = (rest: string): string => `s.properties[a]${rest}`;
const text: JSONSchemaProps = { type: 'string' };

/** Of the schema of one field. */
const fieldRows: readonly { readonly schema: JSONSchemaProps; readonly want: readonly string[] }[] = [
  { schema: text, want: [] },
  { schema: {}, want: ['.type: Required value: must not be empty for specified object fields'] },
  { schema: { type: 'array' }, want: ['.items: Required value: must be specified'] },
  { schema: { type: 'array', items: {} }, want: ['.items.type: Required value: must not be empty for specified array items'] },
  {
    schema: { type: 'object', additionalProperties: {} },
    want: ['.additionalProperties.type: Required value: must not be empty for specified object fields'],
  },
  {
    schema: { type: 'foo' },
    want: ['.type: Unsupported value: "foo": supported values: "array", "boolean", "integer", "number", "object", "string"'],
  },
  {
    schema: { type: 'string', pattern: '(' },
    want: ['.pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`'],
  },
  {
    schema: { type: 'integer', anyOf: [{ type: 'integer', default: 0, description: 'x', nullable: true }] },
    want: [
      '.anyOf[0].default: Forbidden: must be undefined to be structural',
      '.anyOf[0].description: Forbidden: must be empty to be structural',
      '.anyOf[0].nullable: Forbidden: must be false to be structural',
      '.anyOf[0].type: Forbidden: must be empty to be structural',
    ],
  },
  { schema: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, want: [] },
  {
    schema: { 'x-kubernetes-int-or-string': true, allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { maximum: 5 }] },
    want: [],
  },
  {
    schema: { type: 'object', allOf: [{ additionalProperties: text, properties: { metadata: {} } }] },
    want: [
      '.allOf[0].additionalProperties: Forbidden: must be undefined to be structural',
      '.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context',
      '.allOf[0].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
    ],
  },
  {
    schema: { type: 'string', 'x-kubernetes-embedded-resource': true },
    want: [
      '.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      '.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
    ],
  },
  {
    schema: { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true },
    want: ['.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true'],
  },
  { schema: { type: 'object', $schema: 'x' }, want: ['s: Invalid value: "": OpenAPIV3Schema \'schema\' is not supported'] },
  { schema: { type: 'string', $ref: '#/a' }, want: ['.$ref: Forbidden: $ref is not supported'] },
  { schema: { type: 'array', items: [text] }, want: ['.items: Forbidden: items must be a schema object and not an array'] },
  {
    schema: { type: 'array', items: text, uniqueItems: true },
    want: ['.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic'],
  },
  {
    schema: { type: 'object', properties: { b: text }, additionalProperties: false },
    want: ['.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
  },
  {
    schema: { type: 'string', 'x-kubernetes-map-type': 'atomic' },
    want: ['.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified'],
  },
  {
    schema: {
      type: 'array',
      items: { type: 'object', properties: { n: { type: 'string', nullable: true } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n', 'q'],
    },
    want: [
      '.x-kubernetes-list-map-keys: Invalid value: ["n","q"]: entries must all be names of item properties',
      '.items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      '.items.properties[n].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
    ],
  },
  {
    schema: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' },
    want: ['.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set'],
  },
  { schema: { type: 'string', default: 5 }, want: ['.default: Invalid value: "integer":  in body must be of type string: "integer"'] },
  {
    schema: { type: 'object', default: { b: 1 }, properties: { c: text } },
    want: ['.default: Invalid value: {"b":1}: must not have unknown fields'],
  },
  {
    schema: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true, default: { kind: 5 } },
    want: ['.default.kind: Invalid value: 5: must be a string'],
  },
  {
    schema: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: {
        metadata: { type: 'object', properties: { labels: { type: 'object', additionalProperties: text, default: { a: '-' } } } },
      },
    },
    want: [
      ".properties[metadata].properties[labels].default: Invalid value: {\"a\":\"-\"}: must result in valid metadata: metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
  {
    schema: {
      type: 'string',
      'x-kubernetes-validations': [{ rule: ' ' }, { rule: 'a\nb' }, { rule: 'a', message: ' ', fieldPath: '.zz' }],
    },
    want: [
      '.x-kubernetes-validations[0].rule: Required value: rule is not specified',
      '.x-kubernetes-validations[1].message: Required value: message must be specified if rule contains line breaks',
      '.x-kubernetes-validations[2].message: Invalid value: " ": must be non-empty if specified',
      '.x-kubernetes-validations[2].fieldPath: Invalid value: ".zz": must be a valid path',
    ],
  },
];

for (const { schema, want } of fieldRows) {
  const wanted = want.map((problem) => (problem.startsWith('.') ? ofA(problem) : problem));
  test(`a field that says ${JSON.stringify(schema)}`, () => assert.deepEqual(problems(rooted(schema)), wanted));
}

const onlyNames = 'Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified';
const rootRows: readonly { readonly schema: JSONSchemaProps; readonly want: readonly string[]; readonly options?: Options }[] = [
  { schema: {}, want: ['s.type: Required value: must not be empty at the root'] },
  { schema: { type: 'string' }, want: ['s.type: Invalid value: "string": must be object at the root'] },
  { schema: { type: 'object', nullable: true }, want: ['s.nullable: Forbidden: nullable cannot be true at the root'] },
  { schema: { type: 'object', additionalProperties: true }, want: ['s.additionalProperties: Forbidden: must not be used at the root'] },
  {
    schema: { type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } } },
    want: [],
  },
  {
    schema: { type: 'object', properties: { metadata: { type: 'object', description: 'x' } } },
    want: [`s.properties[metadata]: ${onlyNames}`],
  },
  {
    schema: { type: 'object', properties: { kind: { type: 'integer' } } },
    want: ['s.properties[kind].type: Invalid value: "integer": must be string'],
  },
  {
    schema: { type: 'object', properties: { kind: { type: 'string', default: 'x' } } },
    want: ['s.properties[kind].default: Forbidden: must not be set in top-level kind'],
  },
  {
    schema: { type: 'object', allOf: [{ properties: { a: {} } }] },
    want: ['s.properties[a]: Required value: because it is defined in s.allOf[0].properties[a]'],
  },
  {
    schema: { type: 'object', maxProperties: 1 },
    options: { hasStatus: true },
    want: [
      's: Invalid value: {"type":"object","maxProperties":1}: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled',
    ],
  },
  { schema: { type: 'object', required: ['a'], 'x-kubernetes-preserve-unknown-fields': true }, options: { hasStatus: true }, want: [] },
];

for (const { schema, want, options } of rootRows) {
  test(`a schema that says ${JSON.stringify(schema)}`, () => assert.deepEqual(problems(schema, options), want));
}

const lenientRows: readonly { readonly name: string; readonly old: JSONSchemaProps }[] = [
  { name: 'a type that there is not', old: rooted({ type: 'foo' }) },
  { name: 'a set of objects', old: rooted({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' }) },
  {
    name: 'a set of what may be null',
    old: rooted({ type: 'array', items: { type: 'string', nullable: true }, 'x-kubernetes-list-type': 'set' }),
  },
  { name: 'a default with unknown fields', old: rooted({ type: 'object', default: { b: 1 } }) },
];

for (const { name, old } of lenientRows) {
  test(`an update may go on with ${name}`, () => {
    assert.equal(problems(old).length, 1);
    assert.deepEqual(problems(old, { leniency: takeSteps(leniencyOf([old])) }), []);
    assert.equal(problems(old, { leniency: takeSteps(leniencyOf([rooted(text)])) }).length, 1);
  });
}

test('formats that say nothing', () => {
  const schema = rooted({
    type: 'object',
    properties: { a: { type: 'string', format: 'foo' }, b: { type: 'integer', format: 'int8' }, c: { type: 'string', format: 'date' } },
  });
  assert.deepEqual([...unknownFormats([schema])], ['foo', 'int8']);
});

test('ten thousand properties, and a hundred levels, are checked in small steps', () => {
  const wide: JSONSchemaProps = {
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`p${i}`, { type: 'array', items: { type: 'string', default: 5 } }]),
    ),
  };
  let deep = text;
  for (let i = 0; i < 100; i++)
    deep = { type: 'object', properties: { a: deep, b: { type: 'string', oneOf: [{ minLength: 1 }, { maxLength: 1 }] } } };
  for (const schema of [wide, deep]) {
    let cpuMsMax = 0;
    const steps = checkDefinitionSchema(rooted(schema), new Path('s'), { hasStatus: true, leniency: {} });
    for (let done: boolean | undefined = false; !done; ) {
      const before = process.threadCpuUsage().user;
      done = steps.next().done;
      cpuMsMax = Math.max(cpuMsMax, (process.threadCpuUsage().user - before) / 1000);
    }
    assert.ok(cpuMsMax < 50, `${cpuMsMax}`);
  }
});
