import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs/minimal.js';
import type { JSONSchemaProps } from '../../../api/generated/apiextensions-v1.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { NonResourceEndpoint, NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { noDescriptions } from './descriptions.ts';
import { openApiEndpoints } from './openapi.ts';

const registry = builtInRegistry();
const options = { registry, version: 'v1.36.3', nowMs: () => Date.UTC(2026, 0, 1), readDescriptions: () => noDescriptions };
const endpoints = openApiEndpoints(options);

async function get(
  url: string,
  headers: Record<string, string> = {},
  from: readonly NonResourceEndpoint[] = endpoints,
): Promise<NonResourceResponse> {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const endpoint = from.find((e) => e.paths.some((p) => p === pathname || (p.endsWith('/*') && pathname.startsWith(p.slice(0, -1)))));
  assert.ok(endpoint, url);
  return await endpoint.handle(
    { method: 'GET', path: pathname, query: searchParams, headers, type: 'nonResource' },
    { user: { name: 'me', groups: [] } },
  );
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { operationId: string; parameters?: { name: string }[] }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  readonly definitions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const documentAt = async (url: string, from?: readonly NonResourceEndpoint[]): Promise<Document> =>
  JSON.parse(String((await get(url, {}, from)).body)) as Document;
const indexOf = async (from?: readonly NonResourceEndpoint[]): Promise<Record<string, { serverRelativeURL: string }>> =>
  (JSON.parse(String((await get('/openapi/v3', {}, from)).body)) as { paths: Record<string, { serverRelativeURL: string }> }).paths;

/** What every reference of a document names. */
function references(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') found.add(item.replace(/^#\/(components\/schemas|definitions)\//, ''));
      else references(item, found);
    }
  }
  return found;
}

test('the index names a document for each group and version, with its fingerprint', async () => {
  const index = await indexOf();
  assert.equal(Object.keys(index).length, 3 + 20 + 22);
  const url = index['apis/apps/v1']?.serverRelativeURL ?? '';
  assert.match(url, /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
  const { status, headers } = await get(url);
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'public, immutable');
  assert.equal(headers['expires'], 'Fri, 01 Jan 2027 00:00:00 GMT');
  assert.equal((await get(url, { 'if-none-match': headers['etag'] ?? '' })).status, 304);
  const moved = await get('/openapi/v3/apis/apps/v1?hash=ABC');
  assert.deepEqual([moved.status, moved.headers['location']], [301, url]);
});

test('documents hold all that they refer to, and operation names are unique', async () => {
  for (const path of Object.keys(await indexOf())) {
    const document = await documentAt(`/openapi/v3/${path}`);
    const missing = [...references(document)].filter((name) => !(name in document.components.schemas));
    assert.deepEqual(missing, [], path);
    const ids = Object.values(document.paths).flatMap((item) => Object.values(item).flatMap((o) => o.operationId ?? []));
    assert.equal(new Set(ids).size, ids.length, path);
  }
  const v2 = await documentAt('/openapi/v2');
  assert.deepEqual(
    [...references(v2)].filter((name) => !(name in v2.definitions)),
    [],
  );
});

test('a field as both versions say it', async () => {
  const v3 = await documentAt('/openapi/v3/apis/apps/v1');
  const v2 = await documentAt('/openapi/v2');
  const container = 'io.k8s.api.core.v1.Container';
  const fields = (d: Readonly<Record<string, unknown>> | undefined) => (d?.['properties'] ?? {}) as Record<string, unknown>;
  const extensions = {
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  };
  assert.deepEqual(fields(v3.components.schemas[container])['env'], {
    type: 'array',
    items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.EnvVar' }], default: {} },
    ...extensions,
  });
  assert.deepEqual(fields(v2.definitions[container])['env'], {
    type: 'array',
    items: { $ref: '#/definitions/io.k8s.api.core.v1.EnvVar' },
    ...extensions,
  });
  assert.deepEqual(fields(v3.components.schemas[container])['name'], { type: 'string', default: '' });
  const secretKey = 'io.k8s.api.core.v1.SecretKeySelector'; // not required, and yet
  assert.deepEqual(fields(v3.components.schemas[secretKey])['name'], { type: 'string', default: '' });
  assert.deepEqual(fields(v3.components.schemas[secretKey])['optional'], { type: 'boolean' });
  assert.deepEqual(v3.components.schemas['io.k8s.api.apps.v1.Deployment']?.['x-kubernetes-group-version-kind'], [
    { group: 'apps', kind: 'Deployment', version: 'v1' },
  ]);
});

test('descriptions stand beside what they are about, and are part of the fingerprint', async () => {
  const container = 'io.k8s.api.core.v1.Container';
  const described = openApiEndpoints({
    ...options,
    readDescriptions: () => ({
      ofType: (name) => (name === container ? 'runs' : undefined),
      ofField: (name, field) => (name === container && /^(image|lifecycle)$/.test(field) ? `its ${field}` : undefined),
      fingerprint: 'a',
    }),
  });
  const lifecycle = { $ref: '#/components/schemas/io.k8s.api.core.v1.Lifecycle' };
  const path = '/openapi/v3/apis/apps/v1';
  const v3 = (await documentAt(path, described)).components.schemas[container];
  const v2 = (await documentAt('/openapi/v2', described)).definitions[container];
  const fields = [v3, v2].map((d) => (d?.['properties'] ?? {}) as Record<string, unknown>);
  assert.deepEqual([v3?.['description'], v2?.['description']], ['runs', 'runs']);
  assert.deepEqual(fields[0]?.['image'], { description: 'its image', type: 'string' });
  assert.deepEqual(fields[0]?.['lifecycle'], { allOf: [lifecycle], description: 'its lifecycle' });
  assert.deepEqual(fields[1]?.['lifecycle'], { $ref: '#/definitions/io.k8s.api.core.v1.Lifecycle', description: 'its lifecycle' });
  const [url, plainUrl] = [await indexOf(described), await indexOf()].map((index) => index['apis/apps/v1']?.serverRelativeURL);
  assert.notEqual(url, plainUrl);
});

test('clients find out that fields are validated', async () => {
  const { paths } = await documentAt('/openapi/v3/apis/apps/v1');
  const patch = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
  assert.equal(patch?.operationId, 'patchAppsV1NamespacedDeployment');
  assert.ok(patch?.parameters?.some((p) => p.name === 'fieldValidation'));
});

test('version 2 as protobuf', async () => {
  const { status, headers, body } = await get('/openapi/v2', { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' });
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  const reader = protobuf.Reader.create(body as Uint8Array);
  const found: number[] = [];
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    found.push(key >>> 3);
    reader.skipType(key & 7);
  }
  assert.deepEqual(found, [1, 2, 8, 9, 12, 13], 'swagger, info, paths, definitions, security, securityDefinitions');
});

test('what can not be given', async () => {
  assert.equal((await get('/openapi/v2', { accept: 'text/html' })).status, 406);
  const protobuf = { accept: 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf' };
  assert.equal((await get('/openapi/v3/apis/apps/v1', protobuf)).status, 406);
  assert.equal((await get('/openapi/v3/apis/apps/v1', { accept: 'text/html' })).status, 406);
  assert.equal((await get('/openapi/v3/apis/foo/v1')).status, 404);
});

test('a custom resource is published, and a change of its schema changes the fingerprint', async () => {
  const registry = builtInRegistry();
  let looked = 0;
  const ofType = (): undefined => {
    looked++;
    return undefined;
  };
  const live = openApiEndpoints({ ...options, registry, readDescriptions: () => ({ ...noDescriptions, ofType }) });
  await documentAt('/openapi/v3/apis/apps/v1', live);
  const lookedOnce = looked;
  const base = registry.current.byResource('apps', 'v1', 'deployments');
  assert.ok(base);
  const put = (property: string): void => {
    const name = { group: 'a.example.com', resource: 'foos' };
    const said: JSONSchemaProps = { type: 'object', properties: { [property]: { type: 'string' } } };
    const definition = { uid: property, generation: 1, selectableFields: ['spec.size'], schema: () => said };
    const own = { kind: 'Foo', listKind: 'FooList', typeName: '', subresources: {}, storagePrefix: 'a.example.com/foos', definition };
    const kind = { ...base, ...name, ...own };
    registry.put({ ...name, versions: [kind], stored: kind });
  };
  put('size');
  const first = (await indexOf(live))['apis/a.example.com/v1']?.serverRelativeURL;
  const { components, paths } = await documentAt('/openapi/v3/apis/a.example.com/v1', live);
  assert.deepEqual(components.schemas['com.example.a.v1.Foo'], {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        description: `Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata`,
        allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }],
      },
      size: { type: 'string' },
    },
    'x-kubernetes-group-version-kind': [{ group: 'a.example.com', kind: 'Foo', version: 'v1' }],
    'x-kubernetes-selectable-fields': [{ fieldPath: 'spec.size' }],
  });
  assert.equal(paths['/apis/a.example.com/v1/namespaces/{namespace}/foos']?.['post']?.operationId, 'createAExampleComV1NamespacedFoo');
  const patch = paths['/apis/a.example.com/v1/namespaces/{namespace}/foos/{name}']?.['patch'] as unknown as {
    requestBody: { content: object };
  };
  assert.deepEqual(
    Object.keys(patch.requestBody.content),
    ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'],
    'kubectl reads here that it can not send a strategic merge patch',
  );
  put('length');
  const second = (await indexOf(live))['apis/a.example.com/v1']?.serverRelativeURL;
  assert.ok(first && second && first !== second);
  const unchanged = (await indexOf(live))['apis/apps/v1']?.serverRelativeURL;
  assert.equal(unchanged, (await indexOf())['apis/apps/v1']?.serverRelativeURL, 'others keep theirs');
  looked = 0;
  await documentAt('/openapi/v3/apis/apps/v1', live);
  assert.ok(lookedOnce > 0 && looked === 0, 'and are not made again');
  registry.remove({ group: 'a.example.com', resource: 'foos' });
  assert.equal((await get('/openapi/v3/apis/a.example.com/v1', {}, live)).status, 404);
});
