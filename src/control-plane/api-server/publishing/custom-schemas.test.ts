import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONSchemaProps } from '../../../api/generated/apiextensions-v1.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import { customType } from './custom-schemas.ts';
import { SchemaRenderer } from './openapi-schemas.ts';

const description =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const either = [{ type: 'integer' }, { type: 'string' }];
const meta = (version: 2 | 3): object => ({
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata:
    version === 2
      ? { description, $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
      : { description, allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
});

/** What becomes of one field's schema. */
const rows: readonly { readonly said: JSONSchemaProps; readonly v3: object; readonly v2: object }[] = [
  { said: { type: 'boolean', default: false }, v3: { type: 'boolean', default: false }, v2: { type: 'boolean' } },
  {
    said: { type: 'object', additionalProperties: false },
    v3: { type: 'object', additionalProperties: false },
    v2: { type: 'object', additionalProperties: false },
  },
  {
    said: { 'x-kubernetes-int-or-string': true },
    v3: { 'x-kubernetes-int-or-string': true, anyOf: either },
    v2: { 'x-kubernetes-int-or-string': true },
  },
  {
    said: { 'x-kubernetes-int-or-string': true, anyOf: [{ minimum: 1 }] },
    v3: { 'x-kubernetes-int-or-string': true, anyOf: [{ minimum: 1 }], allOf: [{ anyOf: either }] },
    v2: { 'x-kubernetes-int-or-string': true },
  },
  {
    said: { 'x-kubernetes-int-or-string': true, anyOf: either },
    v3: { 'x-kubernetes-int-or-string': true, anyOf: either },
    v2: { 'x-kubernetes-int-or-string': true },
  },
  { said: { type: 'string', nullable: true, maxLength: 5 }, v3: { type: 'string', nullable: true, maxLength: 5 }, v2: { maxLength: 5 } },
  {
    said: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    v3: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      required: ['kind', 'apiVersion'],
      properties: { ...meta(3), spec: { type: 'object' } },
    },
    v2: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      required: ['kind', 'apiVersion'],
      properties: { ...meta(2), spec: { type: 'object' } },
    },
  },
];

for (const { said, v3, v2 } of rows) {
  test(JSON.stringify(said), () => {
    const kind = { group: 'example.com', version: 'v1', kind: 'Widget' } as Kind;
    const definition = { uid: '', generation: 1, selectableFields: [], schema: () => ({ type: 'object', properties: { a: said } }) };
    const rendered = (version: 2 | 3): unknown =>
      (customType(kind, definition)(new SchemaRenderer(version)) as { properties: { a: unknown } }).properties.a;
    assert.deepEqual(rendered(3), v3);
    assert.deepEqual(rendered(2), v2);
  });
}
