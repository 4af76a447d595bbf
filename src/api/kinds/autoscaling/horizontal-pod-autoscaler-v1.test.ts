/** HorizontalPodAutoscaler in v1: its cells, and how it is converted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, kindOf, type Manifest, read, testCells } from '../cases.test.ts';

testCells([
  {
    name: 'shows Deployment/x, cpu: <unknown>/80%, 1',
    object: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'Deployment/x', 'cpu: <unknown>/80%', '1', 3, 0, '27h'],
  },
  {
    name: 'shows Deployment/x, cpu: 30%/80%, 1',
    object: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { currentReplicas: 2, desiredReplicas: 2, currentCPUUtilizationPercentage: 30 },
    },
    cells: ['x', 'Deployment/x', 'cpu: 30%/80%', '1', 3, 2, '27h'],
  },
]);

const annotations = {
  foo: 'bar',
  'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify([
    { type: 'Pods', pods: { metricName: 'x', targetAverageValue: '5' } },
    { type: 'Object', object: { target: { kind: 'Service', name: 'x', apiVersion: 'v1' }, metricName: 'y', targetValue: '5' } },
    { type: 'External', external: { metricName: 'q', metricSelector: { matchLabels: { a: 'b' } }, targetAverageValue: '1' } },
    { type: 'Resource', resource: { name: 'memory', targetAverageUtilization: 50 } },
    { type: 'ContainerResource', containerResource: { name: 'memory', targetAverageValue: '50', container: 'c' } },
  ]),
  'autoscaling.alpha.kubernetes.io/conditions': JSON.stringify([{ type: 'x', status: 'True', lastTransitionTime: null, reason: 'r' }]),
  'autoscaling.alpha.kubernetes.io/behavior': JSON.stringify({
    ScaleUp: {
      StabilizationWindowSeconds: 5,
      SelectPolicy: 'Max',
      Policies: [{ Type: 'Pods', Value: 4, PeriodSeconds: 15 }],
      Tolerance: null,
    },
    ScaleDown: {
      StabilizationWindowSeconds: null,
      SelectPolicy: 'Max',
      Policies: [{ Type: 'Percent', Value: 100, PeriodSeconds: 15 }],
      Tolerance: null,
    },
  }),
};
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
const old = read(kindOf(oldForm({})), oldForm({ metadata: { annotations } }));
const { convert } = kindOf(oldForm({}));

function oldForm(more: Manifest): Manifest {
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    spec: { minReplicas: 1, maxReplicas: 3, scaleTargetRef: target, targetCPUUtilizationPercentage: 50 },
    ...more,
  };
}

test('what annotations say becomes part of the stored form', () => {
  const stored = convert?.toStorage(old);
  assert.deepEqual(stored?.metadata.annotations, { foo: 'bar' });
  assert.deepEqual(at(stored, 'spec.metrics'), [
    { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: '5' } } },
    {
      type: 'Object',
      object: {
        describedObject: { kind: 'Service', name: 'x', apiVersion: 'v1' },
        metric: { name: 'y' },
        target: { type: 'Value', value: '5' },
      },
    },
    {
      type: 'External',
      external: {
        metric: { name: 'q', selector: { matchLabels: { a: 'b' } } },
        target: { type: 'AverageValue', averageValue: '1' },
      },
    },
    { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 50 } } },
    {
      type: 'ContainerResource',
      containerResource: { container: 'c', name: 'memory', target: { type: 'AverageValue', averageValue: '50' } },
    },
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
  ]);
  assert.deepEqual(at(stored, 'spec.behavior.scaleUp.policies'), [{ type: 'Pods', value: 4, periodSeconds: 15 }]);
  assert.deepEqual(at(stored, 'status.conditions'), [{ type: 'x', status: 'True', lastTransitionTime: null, reason: 'r' }]);
});

test('and comes back as annotations', () => {
  const stored = convert?.toStorage(old);
  assert.ok(stored);
  const shown = convert?.fromStorage(stored);
  assert.deepEqual(shown?.metadata.annotations, annotations);
  assert.equal(at(shown, 'spec.targetCPUUtilizationPercentage'), 50);
});

test('an annotation that is no JSON says nothing', () => {
  const odd = oldForm({ metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/metrics': '[' } } });
  const stored = convert?.toStorage(read(kindOf(odd), odd));
  assert.equal((at(stored, 'spec.metrics') as readonly unknown[]).length, 1);
});
