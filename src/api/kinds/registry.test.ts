import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInKinds, builtInRegistry } from './all.ts';
import { versionPriority } from './define-kind.ts';
import { parseRuntimeConfig } from './registry.ts';

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
    assert.equal(registry.list().length, count, JSON.stringify(config));
    if (served) assert.ok(registry.byResource(...served), JSON.stringify(config));
    if (missing) assert.equal(registry.byResource(...missing), undefined, JSON.stringify(config));
  }
  assert.throws(() => parseRuntimeConfig({ 'api/all': 'maybe' }), { message: 'invalid value api/all=maybe' });
  const unknown = { 'apps/v9': true, 'app/v1/deployments': true, 'api/some': true };
  assert.throws(() => builtInRegistry(unknown), { message: 'unknown API versions apps/v9, app/v1/deployments, api/some' });
});

test('every stored kind is one resource in one version', () => {
  const all = builtInRegistry({ 'api/all': true });
  const stored = all.storedKinds();
  assert.equal(new Set(stored.map((k) => k.storagePrefix)).size, stored.length);
  assert.ok(!stored.some((k) => k.group === 'events.k8s.io'), 'events are stored in the core group');
  assert.ok(!stored.some((k) => k.resource === 'tokenreviews'), 'reviews are not stored');
  for (const kind of builtInKinds) {
    const at = all.storageKind(kind);
    assert.deepEqual({ group: at.group, version: at.version }, kind.storageVersion, kind.typeName);
  }
});

test('versions in order', () => {
  const versions = ['v1alpha1', 'v2', 'v1beta2', 'v1', 'v1beta1', 'v11', 'foo'];
  assert.deepEqual(
    versions.toSorted((a, b) => versionPriority(b) - versionPriority(a)),
    ['v11', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo'],
  );
});

test('kinds come and go while a server runs', () => {
  const registry = builtInRegistry();
  const base = registry.byResource('apps', 'v1', 'deployments');
  assert.ok(base);
  const before = registry.revision;
  registry.add({ ...base, group: 'a.io', resource: 'foos', kind: 'Foo' });
  assert.ok(registry.revision > before);
  assert.equal(registry.byKind('a.io', 'v1', 'Foo')?.resource, 'foos');
  assert.equal(registry.remove({ group: 'a.io', version: 'v1', resource: 'foos' }), true);
  assert.equal(registry.byKind('a.io', 'v1', 'Foo'), undefined);
  assert.equal(registry.remove({ group: 'a.io', version: 'v1', resource: 'foos' }), false);
});

test('a selectable field of an object that lacks it', () => {
  const pods = builtInRegistry().byResource('', 'v1', 'pods');
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
  assert.equal(pods?.selectableFields.get('spec.nodeName')?.(pod), '');
  assert.equal(pods?.selectableFields.get('spec.hostNetwork')?.(pod), 'false');
});
