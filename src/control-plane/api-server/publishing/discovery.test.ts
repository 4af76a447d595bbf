import assert from 'node:assert/strict';
import { test } from 'node:test';
import published from '../../../api/data/discovery-aggregated.json' with { type: 'json' };
import type { APIGroupList } from '../../../api/generated/meta-v1.ts';
import { builtInRegistry } from '../../../api/kinds/all.ts';
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import { isStatusError } from '../../../api/meta/status-error.ts';
import type { NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { discoveryEndpoint } from './discovery.ts';

const registry = builtInRegistry();
const endpoint = discoveryEndpoint({ registry, serverAddress: () => '127.0.0.1:6443' });
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

async function get(path: string, headers: Record<string, string> = {}): Promise<NonResourceResponse> {
  return await endpoint.handle(
    { method: 'GET', path, query: new URLSearchParams(), headers, type: 'nonResource' },
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
  const target = { type: 'nonResource' as const, method: 'GET', path: '/apis/a.io/v1beta1', query: new URLSearchParams(), headers: {} };
  const me = { user: { name: 'me', groups: [] } };
  assert.equal((await live.handle(target, me)).status, 200);
  own.remove({ group: 'a.io', resource: 'foos' });
  assert.equal((await live.handle(target, me)).status, 404);
});

const orderRows: readonly {
  name: string;
  /** versions of a kind of a group that is not built in */
  local?: Readonly<Record<string, readonly string[]>>;
  backends?: readonly Backend[];
  want: string;
}[] = [
  { name: 'groups of custom resources by name', local: { 'b.io': ['v1'], 'a.io': ['v1'] }, want: 'a.io/v1 b.io/v1' },
  {
    name: 'versions as Kubernetes names them',
    local: { 'a.io': ['foo10', 'v1alpha1', 'v2', 'foo1', 'v1beta2', 'v11', 'v1'] },
    want: 'a.io/v11 a.io/v2 a.io/v1 a.io/v1beta2 a.io/v1alpha1 a.io/foo1 a.io/foo10',
  },
  {
    name: 'a group that another server answers for, where it asks to stand',
    local: { 'a.io': ['v1'] },
    backends: [{ group: 'z.io', version: 'v1', groupPriorityMinimum: 2000, versionPriority: 10 }],
    want: 'z.io/v1* a.io/v1',
  },
  {
    name: 'a group of which another server has one version',
    local: { 'a.io': ['v1'], 'b.io': ['v1', 'v2'] },
    backends: [
      { group: 'b.io', version: 'v3', groupPriorityMinimum: 1500, versionPriority: 10 },
      { group: 'b.io', version: 'v2', groupPriorityMinimum: 100, versionPriority: 200 },
    ],
    want: 'b.io/v2* b.io/v1 b.io/v3* a.io/v1',
  },
];
for (const { name, local = {}, backends = [], want } of orderRows) {
  test(`the order of what was added: ${name}`, async () => {
    const added = builtInRegistry();
    const base = added.current.byResource('apps', 'v1', 'deployments') ?? assert.fail();
    for (const [group, names] of Object.entries(local)) {
      const versions = names.map((version) => ({ ...base, group, version, resource: 'foos', kind: 'Foo', storagePrefix: `${group}/foos` }));
      added.put({ group, resource: 'foos', versions, stored: versions[0] ?? assert.fail() });
    }
    for (const backend of backends) added.putBackend(backend);
    const live = discoveryEndpoint({ registry: added, serverAddress: () => '' });
    const read = async (path: string, accept = ''): Promise<string> => {
      const target = { type: 'nonResource' as const, method: 'GET', path, query: new URLSearchParams(), headers: { accept } };
      return String((await live.handle(target, { user: { name: 'me', groups: [] } })).body);
    };
    const isAdded = (groupVersion: string): boolean => /^[abz]\.io\//.test(groupVersion);
    const { groups } = JSON.parse(await read('/apis')) as APIGroupList;
    const names = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)).filter(isAdded);
    assert.equal(names.join(' '), want.replaceAll('*', ''));
    const { items } = JSON.parse(await read('/apis', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')) as {
      items: { metadata: { name: string }; versions: { version: string; freshness: string; resources?: unknown[] }[] }[];
    };
    const aggregated = items.flatMap(({ metadata, versions }) =>
      versions.map(({ version, freshness, resources }) => {
        assert.equal(freshness === 'Stale', resources === undefined, 'what another server has is not known');
        return `${metadata.name}/${version}${freshness === 'Stale' ? '*' : ''}`;
      }),
    );
    assert.equal(aggregated.filter(isAdded).join(' '), want);
    for (const { group, version } of backends) {
      await assert.rejects(read(`/apis/${group}/${version}`), { code: 503, message: 'service unavailable' });
    }
  });
}
