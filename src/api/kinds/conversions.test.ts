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
    name: 'an autoscaler with a CPU target',
    kind: ['autoscaling', 'v1', 'horizontalpodautoscalers'],
    served: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h', annotations: { a: 'b' } },
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' }, targetCPUUtilizationPercentage: 50 },
      status: { currentReplicas: 1, desiredReplicas: 2 },
    },
    stored: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h', annotations: { a: 'b' } },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
      status: { currentReplicas: 1, desiredReplicas: 2 },
    },
  },
  {
    name: 'an autoscaler with all that v1 does not know',
    kind: ['autoscaling', 'v1', 'horizontalpodautoscalers'],
    served: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: {
        name: 'h',
        annotations: {
          'autoscaling.alpha.kubernetes.io/metrics':
            '[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"10"}},{"type":"Object","object":{"target":{"kind":"Ingress","name":"i"},"metricName":"hits","targetValue":"5"}},{"type":"External","external":{"metricName":"q","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"7"}},{"type":"ContainerResource","containerResource":{"name":"memory","container":"c","targetAverageUtilization":60}}]',
          'autoscaling.alpha.kubernetes.io/current-metrics':
            '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":40,"currentAverageValue":"400m"}}]',
          'autoscaling.alpha.kubernetes.io/behavior': '{"scaleUp":{"stabilizationWindowSeconds":5}}',
          'autoscaling.alpha.kubernetes.io/conditions': '[{"type":"AbleToScale","status":"True"}]',
        },
      },
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
      status: { desiredReplicas: 2, currentCPUUtilizationPercentage: 40 },
    },
    stored: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } } },
          {
            type: 'Object',
            object: { describedObject: { kind: 'Ingress', name: 'i' }, metric: { name: 'hits' }, target: { type: 'Value', value: '5' } },
          },
          {
            type: 'External',
            external: { metric: { name: 'q', selector: { matchLabels: { a: 'b' } } }, target: { type: 'AverageValue', averageValue: '7' } },
          },
          {
            type: 'ContainerResource',
            containerResource: { name: 'memory', container: 'c', target: { type: 'Utilization', averageUtilization: 60 } },
          },
        ],
        behavior: { scaleUp: { stabilizationWindowSeconds: 5 } },
      },
      status: {
        desiredReplicas: 2,
        currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '400m' } } }],
        conditions: [{ type: 'AbleToScale', status: 'True' }],
      },
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
      const found = registry.byResource(...kind);
      assert.ok(found);
      assert.deepEqual(toStorage(found, served as KubeObject), stored);
      assert.deepEqual(fromStorage(found, stored as KubeObject), served);
    });
  }
});

test('an autoscaler without any metric aims at 80 percent', () => {
  const kind = registry.byResource('autoscaling', 'v1', 'horizontalpodautoscalers');
  assert.ok(kind);
  const object = { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'h' }, spec: { maxReplicas: 1 } };
  const { spec } = toStorage(kind, object as KubeObject) as unknown as { spec: { metrics: unknown } };
  assert.deepEqual(spec.metrics, [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ]);
});

test('the stored version needs no conversion', () => {
  const kind = registry.byResource('apps', 'v1', 'deployments');
  assert.ok(kind);
  const object: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } };
  assert.equal(toStorage(kind, object), object);
  assert.equal(fromStorage(kind, object), object);
});
