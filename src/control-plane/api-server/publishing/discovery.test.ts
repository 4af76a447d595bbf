import assert from 'node:assert/strict';
import { test } from 'node:test';
import published from '../../../api/data/discovery-aggregated.json' with { type: 'json' };
import { builtInRegistry } from '../../../api/kinds/all.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import type { PathResponse } from '../endpoint.ts';
import { discoveryEndpoint } from './discovery.ts';

const registry = builtInRegistry();
const endpoint = discoveryEndpoint({ registry, serverAddress: () => '127.0.0.1:6443' });
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

async function get(path: string, headers: Record<string, string> = {}): Promise<PathResponse> {
  return await endpoint.handle(
    { method: 'GET', path, query: new URLSearchParams(), headers, type: 'path' },
    { user: { name: 'me', groups: [] } },
  );
}
const bodyOf = async (path: string, headers: Record<string, string> = {}): Promise<unknown> =>
  JSON.parse(String((await get(path, headers)).body));

test('aggregated discovery is upstream’s to the byte', async () => {
  for (const root of ['api', 'apis'] as const) {
    const { body, headers } = await get(`/${root}`, { accept: aggregated });
    assert.deepEqual(JSON.parse(String(body)), published[root]);
    assert.ok(body === `${JSON.stringify(published[root])}\n`, 'the order of fields is the same too');
    assert.equal(headers['content-type'], aggregated);
    const again = await get(`/${root}`, { accept: aggregated, 'if-none-match': headers['etag'] ?? '' });
    assert.equal(again.status, 304);
    assert.equal(again.body, '');
  }
});

const legacyRows: readonly { path: string; want: unknown }[] = [
  {
    path: '/api',
    want: {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
    },
  },
  {
    path: '/apis/autoscaling',
    want: {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    },
  },
  {
    path: '/apis/autoscaling/v1/',
    want: {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'autoscaling/v1',
      resources: [
        {
          name: 'horizontalpodautoscalers',
          singularName: 'horizontalpodautoscaler',
          namespaced: true,
          kind: 'HorizontalPodAutoscaler',
          verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
          shortNames: ['hpa'],
          categories: ['all'],
          storageVersionHash: 'qwQve8ut294=',
        },
        {
          name: 'horizontalpodautoscalers/status',
          singularName: '',
          namespaced: true,
          kind: 'HorizontalPodAutoscaler',
          verbs: ['get', 'patch', 'update'],
        },
      ],
    },
  },
];

test('legacy discovery', async () => {
  for (const { path, want } of legacyRows) assert.deepEqual(await bodyOf(path), want, path);
  const { groups } = (await bodyOf('/apis')) as { groups: { name: string }[] };
  assert.deepEqual(
    groups.map((g) => g.name),
    published.apis.items.map((g) => g.metadata.name),
  );
});

test('documents as protobuf, for clients that take nothing else', async () => {
  const documents: Readonly<Record<string, RegExp>> = {
    '/api': /^k8s.*APIVersions.*v1/s,
    '/apis': /^k8s.*APIGroupList.*apps\/v1/s,
    '/apis/apps': /^k8s.*APIGroup.*apps\/v1/s,
    '/api/v1': /^k8s.*APIResourceList.*Binding".\n.create/s,
  };
  for (const [path, has] of Object.entries(documents)) {
    const { headers, body } = await get(path, { accept: 'application/vnd.kubernetes.protobuf' });
    assert.equal(headers['content-type'], 'application/vnd.kubernetes.protobuf');
    assert.match(String(body), has);
  }
});

test('what is not served', async () => {
  const refused = async (path: string, headers: Record<string, string> = {}): Promise<string> => {
    try {
      const { status, body } = await get(path, headers);
      return `${status} ${String(body).trim()}`;
    } catch (error) {
      if (isStatusError(error)) return `${error.code} ${error.message}`;
      throw error;
    }
  };
  assert.equal(await refused('/apis/foo'), '404 404 page not found');
  assert.equal(await refused('/apis/foo/v1'), '404 404 page not found');
  assert.equal(await refused('/apis/apps/v2'), '404 the server could not find the requested resource');
  assert.equal(await refused('/api/v2'), '404 the server could not find the requested resource');
  assert.equal(
    await refused('/api', { accept: 'text/plain' }),
    '406 406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );
});

test('a client that prefers an older aggregated form gets the legacy one', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
  assert.equal(((await bodyOf('/api', { accept })) as { kind: string }).kind, 'APIVersions');
});

test('kinds that come and go are seen', async () => {
  const own = builtInRegistry();
  const live = discoveryEndpoint({ registry: own, serverAddress: () => '' });
  const kind = own.current.byResource('apps', 'v1', 'deployments');
  assert.ok(kind);
  const foo = { ...kind, group: 'a.io', version: 'v1beta1', kind: 'Foo', resource: 'foos', storagePrefix: 'a.io/foos' };
  own.put({ group: 'a.io', resource: 'foos', versions: [foo], stored: foo });
  const target = { type: 'path' as const, method: 'GET', path: '/apis/a.io/v1beta1', query: new URLSearchParams(), headers: {} };
  const me = { user: { name: 'me', groups: [] } };
  assert.equal((await live.handle(target, me)).status, 200);
  own.remove({ group: 'a.io', resource: 'foos' });
  assert.equal((await live.handle(target, me)).status, 404);
});
