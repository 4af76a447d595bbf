import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../meta/object.ts';
import { builtInRegistry } from './all.ts';
import { fromStorage, toStorage } from './registry.ts';

const registry = builtInRegistry({ 'api/all': true });

const rows: readonly { name: string; kind: readonly [string, string, string]; served: object; stored: object }[] = [
  {
    name: 'events',
    kind: ['events.k8s.io', 'v1', 'events'],
    served: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      regarding: { kind: 'Pod', name: 'p' },
      note: 'hello',
      reason: 'Started',
      reportingController: 'a.io/b',
      reportingInstance: 'i',
      deprecatedSource: { component: 'kubelet' },
      deprecatedCount: 3,
      deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
      series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    },
    stored: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p' },
      message: 'hello',
      reason: 'Started',
      reportingComponent: 'a.io/b',
      reportingInstance: 'i',
      source: { component: 'kubelet' },
      count: 3,
      firstTimestamp: '2026-01-01T00:00:00Z',
      series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
    },
  },
  {
    name: 'device requests',
    kind: ['resource.k8s.io', 'v1beta1', 'resourceclaims'],
    served: {
      apiVersion: 'resource.k8s.io/v1beta1',
      kind: 'ResourceClaim',
      metadata: { name: 'c' },
      spec: {
        devices: {
          requests: [
            { name: 'r', deviceClassName: 'd', count: 1 },
            { name: 's', firstAvailable: [{ name: 'x', deviceClassName: 'd' }] },
          ],
        },
      },
    },
    stored: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: 'c' },
      spec: {
        devices: {
          requests: [
            { name: 'r', exactly: { deviceClassName: 'd', count: 1 } },
            { name: 's', firstAvailable: [{ name: 'x', deviceClassName: 'd' }] },
          ],
        },
      },
    },
  },
  {
    name: 'devices',
    kind: ['resource.k8s.io', 'v1beta1', 'resourceslices'],
    served: {
      apiVersion: 'resource.k8s.io/v1beta1',
      kind: 'ResourceSlice',
      metadata: { name: 's' },
      spec: { driver: 'd', devices: [{ name: 'x', basic: { capacity: { memory: { value: '1Gi' } } } }] },
    },
    stored: {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: 's' },
      spec: { driver: 'd', devices: [{ name: 'x', capacity: { memory: { value: '1Gi' } } }] },
    },
  },
  {
    name: 'versions that differ in nothing but their name',
    kind: ['networking.k8s.io', 'v1beta1', 'ipaddresses'],
    served: { apiVersion: 'networking.k8s.io/v1beta1', kind: 'IPAddress', metadata: { name: '10.0.0.1' } },
    stored: { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name: '10.0.0.1' } },
  },
];

test('versions', async (t) => {
  for (const { name, kind, served, stored } of rows) {
    await t.test(name, () => {
      const found = registry.current.byResource(...kind);
      assert.ok(found);
      assert.deepEqual(toStorage(found, served as KubeObject), stored);
      assert.deepEqual(fromStorage(found, stored as KubeObject), served);
    });
  }
});

test('the stored version needs no conversion', () => {
  const kind = registry.current.byResource('apps', 'v1', 'deployments');
  assert.ok(kind);
  const object: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } };
  assert.equal(toStorage(kind, object), object);
  assert.equal(fromStorage(kind, object), object);
});
