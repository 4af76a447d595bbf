import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeSteps } from '../../../api/meta/steps.ts';
import { partOf } from '../extension/backend-openapi.ts';
import { mergeOpenApiV2, type Part } from './openapi-merge.ts';

const refersTo = (name: string) => ({ get: { responses: { 200: { schema: { $ref: `#/definitions/${name}` } } } } });
const gvk = (kind: string) => ({ 'x-kubernetes-group-version-kind': [{ group: 'a', version: 'v1', kind }] });
const document = {
  swagger: '2.0',
  paths: { '/b': refersTo('Meta') },
  definitions: { Meta: { type: 'object', ...gvk('A') }, Other: { type: 'string' } },
};
const merge = (...parts: Part[]): unknown => {
  const { paths, definitions } = takeSteps(mergeOpenApiV2(document, parts));
  return [paths, definitions];
};

test('a definition that is the same but for its kinds is shared, and names both', () => {
  assert.deepEqual(merge({ paths: { '/a': refersTo('Meta') }, definitions: { Meta: { type: 'object', ...gvk('B') } } }), [
    { '/a': refersTo('Meta'), '/b': refersTo('Meta') },
    {
      Meta: {
        type: 'object',
        'x-kubernetes-group-version-kind': [
          { group: 'a', version: 'v1', kind: 'A' },
          { group: 'a', version: 'v1', kind: 'B' },
        ],
      },
      Other: { type: 'string' },
    },
  ]);
});

test('one that says something else gets another name, and so do those that refer to it; the next server shares it', () => {
  const part = {
    paths: { '/a': refersTo('Other') },
    definitions: { Other: { properties: { m: { $ref: '#/definitions/Meta' } } }, Meta: {} },
  };
  const next = { paths: { '/c': refersTo('Meta'), '/b': refersTo('Meta') }, definitions: { Meta: {} } };
  assert.deepEqual(merge(part, next), [
    { '/a': refersTo('Other_v2'), '/b': refersTo('Meta'), '/c': refersTo('Meta_v2') },
    { ...document.definitions, Other_v2: { properties: { m: { $ref: '#/definitions/Meta_v2' } } }, Meta_v2: {} },
  ]);
});

test('a name that is taken in both is not taken twice', () => {
  const part = { paths: { '/a': refersTo('Meta') }, definitions: { Meta: {}, Meta_v2: { type: 'string' } } };
  assert.deepEqual(merge(part), [
    { '/a': refersTo('Meta_v3'), '/b': refersTo('Meta') },
    { ...document.definitions, Meta_v3: {}, Meta_v2: { type: 'string' } },
  ]);
});

const rows: readonly { readonly name: string; readonly given: object | undefined; readonly want: object | undefined }[] = [
  { name: 'no document', given: undefined, want: undefined },
  { name: 'other paths alone', given: { paths: { '/apis/b/v1/': {}, '/apis/a/v10/': {} } }, want: undefined },
  { name: 'paths that are none', given: { paths: { '/apis/a/v1/x': 1 } }, want: undefined },
  {
    name: 'what its paths need, and no more',
    given: {
      paths: { '/apis/': refersTo('Else'), '/apis/a/v1/x': refersTo('A') },
      definitions: { A: { items: { $ref: '#/definitions/B' } }, B: { items: { $ref: '#/definitions/A' } }, Else: {}, C: {} },
    },
    want: {
      paths: { '/apis/a/v1/x': refersTo('A') },
      definitions: { A: { items: { $ref: '#/definitions/B' } }, B: { items: { $ref: '#/definitions/A' } } },
    },
  },
  {
    name: 'parameters, in their places',
    given: { paths: { '/apis/a/v1/x': { parameters: [{ $ref: '#/parameters/p' }] } }, parameters: { p: { name: 'p', in: 'query' } } },
    want: { paths: { '/apis/a/v1/x': { parameters: [{ name: 'p', in: 'query' }] } }, definitions: {} },
  },
  {
    name: 'definitions that are none',
    given: { paths: { '/apis/a/v1/x': refersTo('A') }, definitions: { A: 1 } },
    want: { paths: { '/apis/a/v1/x': refersTo('A') }, definitions: {} },
  },
];
for (const { name, given, want } of rows)
  test(`of another server's document: ${name}`, () => assert.deepEqual(partOf(given as never, '/apis/a/v1/'), want));
