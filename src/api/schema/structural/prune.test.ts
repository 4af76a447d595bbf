import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import { isStatusError } from '../../meta/status-error.ts';
import { decodeBody, type FieldValidation } from '../body.ts';
import { applyDefaults } from '../default.ts';
import { schemaOfCustomResource } from './custom-schema.ts';

const spec: JSONSchemaProps = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    maybe: { type: 'integer', nullable: true },
    filled: { type: 'string', default: 'x' },
    nullFilled: { type: 'string', nullable: true, default: 'y' },
    list: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer', default: 5 } } } },
    numbers: { type: 'array', items: { type: 'integer', default: 7 } },
    plain: { type: 'array', items: { type: 'integer' } },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
    anyMap: { type: 'object', additionalProperties: true },
    noMap: { type: 'object', additionalProperties: false },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'object' } } },
    freeList: {
      type: 'array',
      'x-kubernetes-preserve-unknown-fields': true,
      items: { type: 'object', properties: { known: { type: 'object' } } },
    },
    embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    nested: { type: 'object', default: { unknown: 1 }, properties: { a: { type: 'string', default: 'deep' } } },
  },
};
const type = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  schema: schemaOfCustomResource(() => ({ type: 'object', properties: { spec } })),
};
const nested = { a: 'deep' };
const filled = { filled: 'x', nullFilled: 'y', nested };

interface Row {
  readonly name: string;
  readonly given: object;
  readonly want: object;
  readonly told?: readonly string[];
}
const ofSpec = (name: string, given: object, want: object, told: readonly string[] = []): Row => ({
  name,
  given: { spec: given },
  want: { spec: { ...filled, ...want } },
  told: told.map((path) => `unknown field "${path}"`),
});

const rows: readonly Row[] = [
  { name: 'no spec, no defaults in it', given: {}, want: {} },
  { name: 'an unknown field at the root', given: { other: 1 }, want: {}, told: ['unknown field "other"'] },
  { name: 'a null where null is no value goes', given: { spec: null }, want: {} },
  ofSpec('unknown fields are told in the order of their names', { z: 1, text: 'a', b: {} }, { text: 'a' }, ['spec.b', 'spec.z']),
  ofSpec("wrong types are not decoding's matter", { text: 5, list: 'x' }, { text: 5, list: 'x' }),
  ofSpec('an object where a scalar belongs loses its fields', { text: { a: 1 } }, { text: {} }, ['spec.text.a']),
  ofSpec(
    'null: dropped, kept, filled, kept',
    { text: null, maybe: null, filled: null, nullFilled: null },
    { maybe: null, nullFilled: null },
  ),
  ofSpec('in lists: filled where there is a default', { numbers: [null, 1], plain: [null] }, { numbers: [7, 1], plain: [null] }),
  ofSpec('defaults in items', { list: [{}, { a: 1, b: 2 }] }, { list: [{ a: 5 }, { a: 1 }] }, ['spec.list[1].b']),
  ofSpec('maps', { map: { k: { a: 'x', b: 1 }, n: null } }, { map: { k: { a: 'x' } } }, ['spec.map.k.b']),
  ofSpec('additionalProperties: true keeps no fields of objects', { anyMap: { s: 1, o: { a: 1 } } }, { anyMap: { s: 1, o: {} } }, [
    'spec.anyMap.o.a',
  ]),
  ofSpec('additionalProperties: false keeps the keys', { noMap: { s: 1 } }, { noMap: { s: 1 } }),
  ofSpec('preserved, but for what is said', { free: { x: { y: null }, known: { z: 1 } } }, { free: { x: { y: null }, known: {} } }, [
    'spec.free.known.z',
  ]),
  ofSpec('items of a preserving list preserve', { freeList: [{ x: 1, known: { y: 1 } }] }, { freeList: [{ x: 1, known: {} }] }, [
    'spec.freeList[0].known.y',
  ]),
  ofSpec(
    'embedded metadata',
    { embedded: { apiVersion: 'v1', kind: 'Pod', x: 1, metadata: { name: 'a', zz: 1, creationTimestamp: null } } },
    { embedded: { apiVersion: 'v1', kind: 'Pod', x: 1, metadata: { name: 'a' } } },
    ['spec.embedded.metadata.zz'],
  ),
];

function decoded(given: object, fieldValidation: FieldValidation = 'Warn', text?: string) {
  const body = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' }, ...given };
  return decodeBody(type, structuredClone(body), { fieldValidation, ...(text !== undefined && { text }) });
}

for (const { name, given, want, told = [] } of rows) {
  test(`pruned and filled: ${name}`, () => {
    const { object, warnings } = decoded(given);
    const got = applyDefaults(type.schema, object);
    assert.deepEqual(got, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' }, ...want });
    assert.deepEqual(warnings, told);
    assert.deepEqual(applyDefaults(type.schema, got), got);
  });
}

test('nothing is changed in place, and what needs no change is the same object', () => {
  const whole = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'a' },
    spec: { ...filled, free: { x: {} }, maybe: null },
  };
  const { object } = decodeBody(type, whole, { fieldValidation: 'Strict' });
  assert.equal(object as unknown, whole);
  assert.equal(applyDefaults(type.schema, object), object);
});

const refusals: readonly { name: string; given: object; want: string }[] = [
  {
    name: 'a wrong type in metadata',
    given: { metadata: { name: 'a', labels: { a: 1 } } },
    want: 'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  },
  {
    name: 'metadata that is no object',
    given: { metadata: 5 },
    want: 'Widget in version "v1" cannot be handled as a Widget: json: cannot unmarshal number into Go value of type v1.ObjectMeta',
  },
  {
    name: 'the kind of an embedded resource',
    given: { spec: { embedded: { kind: 5 } } },
    want: 'Widget in version "v1" cannot be handled as a Widget: spec.embedded.kind: Invalid value: 5: must be a string',
  },
  {
    name: 'metadata of an embedded resource',
    given: { spec: { embedded: { metadata: { labels: { a: 1 } } } } },
    want: 'Widget in version "v1" cannot be handled as a Widget: spec.embedded.metadata: Invalid value: {"labels":{"a":1}}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  },
  {
    name: 'unknown fields, strictly',
    given: { spec: { x: 1 }, a: 1 },
    want: 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "a", unknown field "spec.x"',
  },
  {
    name: 'another version',
    given: { apiVersion: 'example.com/v2' },
    want: 'the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)',
  },
  {
    name: 'another kind',
    given: { kind: 'Other' },
    want: 'Other.example.com "a" is invalid: kind: Invalid value: "Other": must be Widget',
  },
  {
    name: 'no kind',
    given: { kind: '' },
    want: "the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '' (<empty>)",
  },
];

for (const { name, given, want } of refusals) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => decoded(given, 'Strict'),
      (error: unknown) => isStatusError(error) && error.message === want,
    );
  });
}

test('duplicate fields come before unknown ones, which keep their order', () => {
  const text = '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","foo":1},"spec":{"text":"1","x":1,"text":"2"},"b":1}';
  const { warnings } = decodeBody(type, JSON.parse(text), { fieldValidation: 'Warn', text });
  assert.deepEqual(warnings, [
    'duplicate field "spec.text"',
    'unknown field "metadata.foo"',
    'unknown field "b"',
    'unknown field "spec.x"',
  ]);
});

test('of what is stored, its own metadata are not looked at again', () => {
  const metadata = { name: 'w', creationTimestamp: '2026-01-01T00:00:00Z' };
  const read = (more: object): unknown => type.schema.custom?.keep({ apiVersion: 'example.com/v1', kind: 'Widget', metadata, ...more });
  const known = { apiVersion: 'example.com/v1', kind: 'Widget', metadata, spec: { text: 'a' } };
  assert.equal(type.schema.custom?.keep(known), known);
  const kept = read({
    spec: { text: 'a', gone: 1, embedded: { apiVersion: 'v1', kind: 'A', metadata: { labels: { a: 'b' }, odd: 1 } } },
    other: 1,
  });
  assert.deepEqual(kept, { ...known, spec: { text: 'a', embedded: { apiVersion: 'v1', kind: 'A', metadata: { labels: { a: 'b' } } } } });
  assert.equal((kept as typeof known).metadata, metadata);
});
