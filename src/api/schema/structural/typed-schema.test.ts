import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../generated/apiextensions-v1.ts';
import type { Schema } from '../types.ts';
import { schemaOfCustomResource } from './custom-schema.ts';

/** What apply sees of a schema, in a line. */
function shown(schema: Schema): string {
  switch (schema.type) {
    case 'object': {
      const fields = [...schema.fields.values()].map((field) => `${field.name}: ${shown(field.schema)}`);
      return `${schema.name ? schema.name.split('.').at(-1) : `{${[...fields, ...(schema.preserveUnknown ? ['...'] : [])].join(', ')}}`}${schema.atomic ? '!' : ''}`;
    }
    case 'map':
      return `map<${shown(schema.values)}>${schema.atomic ? '!' : ''}`;
    case 'list':
      return `${schema.listType}<${shown(schema.items)}>${schema.listMapKeys.length ? ` by ${schema.listMapKeys.join()}` : ''}`;
    default:
      return schema.type;
  }
}

const text: JSONSchemaProps = { type: 'string' };
const rows: readonly { readonly said: JSONSchemaProps; readonly want: string }[] = [
  { said: text, want: 'string' },
  { said: { type: 'string', format: 'byte' }, want: 'string' },
  { said: { type: 'string', format: 'date-time' }, want: 'intOrString' },
  { said: { type: 'integer' }, want: 'int64' },
  { said: { 'x-kubernetes-int-or-string': true }, want: 'any' },
  { said: { 'x-kubernetes-preserve-unknown-fields': true }, want: 'any' },
  { said: { type: 'array', items: text }, want: 'atomic<string>' },
  { said: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' }, want: 'set<string>' },
  {
    said: {
      type: 'array',
      items: { type: 'object', properties: { n: text } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['n'],
    },
    want: 'map<{n: string}> by n',
  },
  { said: { type: 'object' }, want: 'map<any>' },
  { said: { type: 'object', additionalProperties: false }, want: '{}' },
  { said: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' }, want: 'map<string>!' },
  { said: { type: 'object', properties: { a: text } }, want: '{a: string}' },
  {
    said: { type: 'object', properties: { a: { type: 'object', properties: { b: text } } }, 'x-kubernetes-preserve-unknown-fields': true },
    want: '{a: {b: string, ...}, ...}',
  },
  {
    said: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    want: '{apiVersion: string, kind: string, metadata: ObjectMeta, ...}',
  },
];

for (const { said, want } of rows) {
  test(`${JSON.stringify(said)} is ${want}`, () => {
    const schema = schemaOfCustomResource(() => ({ type: 'object', properties: { a: said } }));
    assert.equal(shown(schema), `{apiVersion: string, kind: string, metadata: ObjectMeta, a: ${want}}`);
  });
}
