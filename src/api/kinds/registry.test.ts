import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind } from '../meta/kind.ts';
import { builtInKinds, builtInRegistry } from './all.ts';
import { versionPriority } from './define-kind.ts';
import type { ServedResource } from './kind-snapshot.ts';
import { KindRegistry } from './registry.ts';
import { parseRuntimeConfig } from './runtime-config.ts';

const configRows: readonly {
  config: Record<string, string>;
  count: number;
  served?: readonly [string, string, string];
  missing?: readonly [string, string, string];
}[] = [
  { config: {}, count: 68, missing: ['resource.k8s.io', 'v1beta1', 'resourceclaims'] },
  { config: { 'api/all': 'true' }, count: 95, served: ['scheduling.k8s.io', 'v1alpha2', 'workloads'] },
  {
    config: { 'api/beta': 'true' },
    count: 86,
    served: ['coordination.k8s.io', 'v1beta1', 'leasecandidates'],
    missing: ['scheduling.k8s.io', 'v1alpha2', 'workloads'],
  },
  { config: { 'networking.k8s.io/v1beta1': '' }, count: 70, served: ['networking.k8s.io', 'v1beta1', 'ipaddresses'] },
  { config: { 'api/all': 'false', v1: 'true' }, count: 17, served: ['', 'v1', 'pods'], missing: ['apps', 'v1', 'deployments'] },
  { config: { 'apps/v1/deployments': 'false' }, count: 67, served: ['apps', 'v1', 'replicasets'], missing: ['apps', 'v1', 'deployments'] },
];

test('what a runtime configuration serves', () => {
  for (const { config, count, served, missing } of configRows) {
    const registry = builtInRegistry(parseRuntimeConfig(config));
    assert.equal(registry.current.list().length, count, JSON.stringify(config));
    if (served) assert.ok(registry.current.byResource(...served), JSON.stringify(config));
    if (missing) assert.equal(registry.current.byResource(...missing), undefined, JSON.stringify(config));
  }
  assert.throws(() => parseRuntimeConfig({ 'api/all': 'maybe' }), { message: 'invalid value api/all=maybe' });
  const unknown = { 'apps/v9': true, 'app/v1/deployments': true, 'api/some': true };
  assert.throws(() => builtInRegistry(unknown), { message: 'unknown API versions apps/v9, app/v1/deployments, api/some' });
});

test('every stored kind is one resource in one version', () => {
  const all = builtInRegistry({ 'api/all': true }).current;
  const stored = all.storedKinds();
  assert.equal(new Set(stored.map((k) => k.storagePrefix)).size, stored.length);
  assert.ok(!stored.some((k) => k.group === 'events.k8s.io'), 'events are stored in the core group');
  assert.ok(!stored.some((k) => k.resource === 'tokenreviews'), 'reviews are not stored');
  for (const kind of builtInKinds) {
    const at = all.resource(kind.group, kind.resource)?.stored;
    assert.deepEqual({ group: at?.group, version: at?.version }, kind.storageVersion, kind.typeName);
    assert.equal(at?.storagePrefix, kind.storagePrefix, 'every version finds its objects in the same place');
  }
});

test('versions in order', () => {
  const versions = ['v1alpha1', 'v2', 'v1beta2', 'v1', 'v1beta1', 'v11', 'foo'];
  assert.deepEqual(
    versions.toSorted((a, b) => versionPriority(b) - versionPriority(a)),
    ['v11', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo'],
  );
});

const base = builtInRegistry().current.byResource('apps', 'v1', 'deployments') ?? assert.fail();
const foo = (version: string, change: Partial<Kind> = {}): Kind => ({
  ...base,
  group: 'a.io',
  version,
  resource: 'foos',
  kind: 'Foo',
  storageVersion: { group: 'a.io', version: 'v1' },
  storagePrefix: 'a.io/foos',
  ...change,
});
const foos = (...versions: readonly [Kind, ...Kind[]]): ServedResource => ({
  group: 'a.io',
  resource: 'foos',
  versions,
  stored: versions[0],
});

test('resources come, change and go while a server runs', () => {
  const registry = builtInRegistry();
  const before = registry.current;
  const v1 = foo('v1');
  registry.put(foos(v1));
  const first = registry.current;
  assert.equal(first.byKind('a.io', 'v1', 'Foo'), v1);
  assert.ok(first.has(v1));
  assert.equal(before.byKind('a.io', 'v1', 'Foo'), undefined, 'who has a snapshot keeps it');
  const other = foo('v1', { singular: 'another' });
  registry.put(foos(other, foo('v2beta1')));
  assert.equal(first.byResource('a.io', 'v1', 'foos'), v1);
  assert.ok(registry.current.has(other) && !registry.current.has(v1));
  assert.deepEqual(
    registry.current.versionsOf('a.io', 'foos').map(({ version }) => version),
    ['v1', 'v2beta1'],
  );
  registry.put(foos(other));
  assert.equal(registry.current.byResource('a.io', 'v2beta1', 'foos'), undefined, 'a version that is no longer named');
  assert.equal(registry.remove({ group: 'a.io', resource: 'foos' }), true);
  assert.equal(registry.current.byKind('a.io', 'v1', 'Foo'), undefined);
  assert.equal(registry.current.has(v1), false);
  assert.equal(registry.remove({ group: 'a.io', resource: 'foos' }), false);
});

test('a version that is not served is still known', () => {
  const [v1, v2] = [foo('v1'), foo('v2')];
  const registry = new KindRegistry([v1, v2], { 'a.io/v1': false });
  const versions = () => ['v1', 'v2', 'v3'].map((version) => registry.current.known('a.io', version, 'foos')?.version);
  assert.deepEqual(versions(), ['v1', 'v2', undefined], 'of a built-in kind');
  registry.put({ group: 'a.io', resource: 'foos', versions: [v2], stored: v2, unserved: [v1] });
  assert.equal(registry.current.byResource('a.io', 'v1', 'foos'), undefined);
  assert.deepEqual(versions(), ['v1', 'v2', undefined], 'of one that has come');
});

test('a version may be stored without being served', () => {
  const registry = builtInRegistry();
  registry.put({ group: 'a.io', resource: 'foos', versions: [foo('v2')], stored: foo('v1') });
  assert.equal(registry.current.byResource('a.io', 'v1', 'foos'), undefined);
  assert.ok(registry.current.storedKinds().some(({ group, version }) => group === 'a.io' && version === 'v1'));
});

const refusedRows: readonly { name: string; put: ServedResource; after?: ServedResource; message: string }[] = [
  {
    name: 'another scope',
    after: foos(foo('v1')),
    put: foos(foo('v1', { namespaced: false })),
    message: "a.io/foos can't change its scope",
  },
  { name: 'two scopes', put: foos(foo('v1'), foo('v2', { namespaced: false })), message: "a.io/foos can't change its scope" },
  {
    name: 'another place',
    after: foos(foo('v1')),
    put: foos(foo('v1', { storagePrefix: 'b.io/foos' })),
    message: "the objects of a.io/foos can't move",
  },
  {
    name: 'the place of others',
    put: foos(foo('v1', { storagePrefix: 'deployments' })),
    message: 'the objects of a.io/foos have to be below a.io/foos',
  },
];
for (const { name, put, after, message } of refusedRows) {
  test(`a resource is refused: ${name}`, () => {
    const registry = builtInRegistry();
    if (after) registry.put(after);
    const { current } = registry;
    assert.throws(() => registry.put(put), { message });
    assert.equal(registry.current, current);
  });
}

test('a group-version of another server hides what is here under its name', () => {
  const registry = builtInRegistry();
  const v1 = foo('v1');
  registry.put(foos(v1));
  const backend = { group: 'a.io', version: 'v1', groupPriorityMinimum: 2000, versionPriority: 10 };
  registry.putBackend(backend);
  assert.equal(registry.current.backend('a.io', 'v1'), backend);
  assert.equal(registry.current.byResource('a.io', 'v1', 'foos'), undefined);
  assert.ok(registry.removeBackend(backend));
  assert.equal(registry.current.byResource('a.io', 'v1', 'foos'), v1);
  assert.equal(registry.removeBackend(backend), false);
});

test('a selectable field of an object that lacks it', () => {
  const pods = builtInRegistry().current.byResource('', 'v1', 'pods');
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
  assert.equal(pods?.selectableFields.get('spec.nodeName')?.(pod), '');
  assert.equal(pods?.selectableFields.get('spec.hostNetwork')?.(pod), 'false');
});
