/** HorizontalPodAutoscaler: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.minReplicas, spec.metrics[0].type and 4 more',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    },
    has: {
      'spec.minReplicas': 1,
      'spec.metrics[0].type': 'Resource',
      'spec.metrics[0].resource.name': 'cpu',
      'spec.metrics[0].resource.target.type': 'Utilization',
      'spec.metrics[0].resource.target.averageUtilization': 80,
      'status.desiredReplicas': 0,
    },
  },
  {
    name: 'fills in spec.minReplicas, spec.metrics[0].type and 16 more',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 3,
        behavior: { scaleDown: { stabilizationWindowSeconds: 3 } },
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    },
    has: {
      'spec.minReplicas': 1,
      'spec.metrics[0].type': 'Resource',
      'spec.metrics[0].resource.name': 'cpu',
      'spec.metrics[0].resource.target.type': 'Utilization',
      'spec.metrics[0].resource.target.averageUtilization': 80,
      'spec.behavior.scaleUp.stabilizationWindowSeconds': 0,
      'spec.behavior.scaleUp.selectPolicy': 'Max',
      'spec.behavior.scaleUp.policies[0].type': 'Pods',
      'spec.behavior.scaleUp.policies[0].value': 4,
      'spec.behavior.scaleUp.policies[0].periodSeconds': 15,
      'spec.behavior.scaleUp.policies[1].type': 'Percent',
      'spec.behavior.scaleUp.policies[1].value': 100,
      'spec.behavior.scaleUp.policies[1].periodSeconds': 15,
      'spec.behavior.scaleDown.selectPolicy': 'Max',
      'spec.behavior.scaleDown.policies[0].type': 'Percent',
      'spec.behavior.scaleDown.policies[0].value': 100,
      'spec.behavior.scaleDown.policies[0].periodSeconds': 15,
      'status.desiredReplicas': 0,
    },
  },
  {
    name: 'fills in spec.minReplicas, spec.metrics[0].pods.target.averageValue and 2 more',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 3,
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: 5 } } },
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Service', name: 'x', apiVersion: 'v1' },
              metric: { name: 'y' },
              target: { type: 'Value', value: 5 },
            },
          },
        ],
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    },
    has: {
      'spec.minReplicas': 1,
      'spec.metrics[0].pods.target.averageValue': '5',
      'spec.metrics[1].object.target.value': '5',
      'status.desiredReplicas': 0,
    },
  },
  {
    name: 'refuses spec.minReplicas and 5 more',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: { minReplicas: 0, maxReplicas: 0, scaleTargetRef: { kind: 'a/b', name: '' } },
    },
    errors: [
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain \'/\'',
      'spec.scaleTargetRef.name: Required value',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
  },
  {
    name: 'refuses spec.scaleTargetRef.apiVersion and 26 more',
    given: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: 'v1', kind: 'a', name: 'b' },
        metrics: [
          { type: '' },
          { type: 'Foo' },
          { type: 'Resource', pods: { metric: { name: '' }, target: { type: '' } } },
          {
            type: 'Object',
            object: { describedObject: { kind: '', name: '', apiVersion: 'a/b/c' }, metric: { name: 'a/b' }, target: { type: 'Foo' } },
          },
          { type: 'Resource', resource: { name: '', target: { type: 'Utilization' } } },
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0, averageValue: -1 } } },
          { type: 'ContainerResource', containerResource: { name: 'foo', container: 'A', target: { type: 'Value' } } },
          { type: 'ContainerResource', containerResource: { name: '', container: '', target: { type: 'Value' } } },
          { type: 'External', external: { metric: { name: 'a' }, target: { type: 'Value', value: -1, averageValue: 1 } } },
          { type: 'External' },
          {
            type: 'Pods',
            pods: { metric: { name: 'x' }, target: { type: 'Value' } },
            resource: { name: 'cpu', target: { type: 'Value' } },
          },
        ],
      },
    },
    errors: [
      'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
      'spec.metrics[0].type: Required value: must specify a metric source type',
      'spec.metrics[0].type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[0].type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[1].type: Unsupported value: "Foo": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[1].type: Unsupported value: "Foo": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[2].pods.metric.name: Required value: must specify a metric name',
      'spec.metrics[2].pods.target.type: Required value: must specify a metric target type',
      'spec.metrics[2].pods.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
      'spec.metrics[2].pods.target.averageValue: Required value: must specify a positive target averageValue',
      'spec.metrics[2].resource: Required value: must populate information for the given metric source',
      'spec.metrics[3].object.describedObject.kind: Required value',
      'spec.metrics[3].object.describedObject.name: Required value',
      'spec.metrics[3].object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'spec.metrics[3].object.metric.name: Invalid value: "a/b": may not contain \'/\'',
      'spec.metrics[3].object.target.type: Invalid value: "Foo": must be either Utilization, Value, or AverageValue',
      'spec.metrics[3].object.target.averageValue: Required value: must set either a target value or averageValue',
      'spec.metrics[4].resource.name: Required value: must specify a resource name',
      'spec.metrics[4].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
      'spec.metrics[5].resource.target.averageValue: Invalid value: "-1": must be positive',
      'spec.metrics[5].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
      'spec.metrics[5].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
      'spec.metrics[6].containerResource.name: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.metrics[6].containerResource.name: Invalid value: "foo": must be a standard resource for containers',
      "spec.metrics[6].containerResource.container: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.metrics[6].containerResource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
      'spec.metrics[7].containerResource.name: Required value: must specify a resource name',
      'spec.metrics[7].containerResource.container: Required value: must specify a container',
      'spec.metrics[7].containerResource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
      'spec.metrics[8].external.target.value: Invalid value: "-1": must be positive',
      'spec.metrics[8].external.target.value: Forbidden: may not set both a target value for metric and a per-pod target',
      'spec.metrics[9].external: Required value: must populate information for the given metric source',
      'spec.metrics[10].pods.target.averageValue: Required value: must specify a positive target averageValue',
      'spec.metrics[10].resource: Forbidden: must populate the given metric source only',
    ],
  },
  {
    name: 'fills in spec.minReplicas, status.currentReplicas and 1 more',
    given: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    },
    has: { 'spec.minReplicas': 1, 'status.currentReplicas': 0, 'status.desiredReplicas': 0 },
  },
  {
    name: 'fills in spec.minReplicas, status.currentReplicas and 1 more (2)',
    given: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
    },
    has: { 'spec.minReplicas': 1, 'status.currentReplicas': 0, 'status.desiredReplicas': 0 },
  },
  {
    name: 'fills in spec.minReplicas, status.currentReplicas and 1 more (3)',
    given: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: {
        annotations: {
          foo: 'bar',
          'autoscaling.alpha.kubernetes.io/metrics':
            '[{"type":"Pods","pods":{"metricName":"x","targetAverageValue":"5"}},{"type":"Object","object":{"target":{"kind":"Service","name":"x","apiVersion":"v1"},"metricName":"y","targetValue":"5"}},{"type":"External","external":{"metricName":"q","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"1"}},{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":50}},{"type":"ContainerResource","containerResource":{"name":"memory","container":"c","targetAverageValue":"50"}}]',
          'autoscaling.alpha.kubernetes.io/behavior':
            '{"ScaleUp":{"StabilizationWindowSeconds":5,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}]}}',
          'autoscaling.alpha.kubernetes.io/conditions': '[{"type":"x","status":"True"}]',
        },
      },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    },
    has: { 'spec.minReplicas': 1, 'status.currentReplicas': 0, 'status.desiredReplicas': 0 },
  },
  {
    name: 'refuses spec.minReplicas and 4 more',
    given: {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      spec: { targetCPUUtilizationPercentage: 0, minReplicas: 0, scaleTargetRef: { kind: 'Deployment', name: 'x' } },
    },
    errors: [
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
      'spec.maxReplicas: Required value: must be set and greater than 0',
      'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
      'spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
      'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
  },
  [
    { name: 'update: takes spec.maxReplicas', change: { spec: { maxReplicas: 4 } } },
    {
      name: 'status: refuses status.currentReplicas',
      change: { status: { currentReplicas: -1, desiredReplicas: 1 } },
      subresource: 'status',
      errors: ['status.currentReplicas: Invalid value: -1: must be greater than or equal to 0'],
    },
  ],
);

testCells([
  {
    name: 'shows Deployment/x, <unknown>/5, memory: <unknown>/1Gi + 1 more..., 1',
    object: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 3,
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: 5 } } },
          { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Service', name: 'x', apiVersion: 'v1' },
              metric: { name: 'y' },
              target: { type: 'Value', value: 5 },
            },
          },
        ],
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'Deployment/x', '<unknown>/5, memory: <unknown>/1Gi + 1 more...', '1', 3, 0, '27h'],
  },
  {
    name: 'shows Deployment/x, 3/5, memory: 2Gi/1Gi + 1 more..., 1',
    object: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        maxReplicas: 3,
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'x' }, target: { type: 'AverageValue', averageValue: 5 } } },
          { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
          {
            type: 'Object',
            object: {
              describedObject: { kind: 'Service', name: 'x', apiVersion: 'v1' },
              metric: { name: 'y' },
              target: { type: 'Value', value: 5 },
            },
          },
        ],
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        currentReplicas: 2,
        desiredReplicas: 2,
        currentMetrics: [
          { type: 'Pods', pods: { metric: { name: 'x' }, current: { averageValue: 3 } } },
          { type: 'Resource', resource: { name: 'memory', current: { averageValue: '2Gi' } } },
        ],
      },
    },
    cells: ['x', 'Deployment/x', '3/5, memory: 2Gi/1Gi + 1 more...', '1', 3, 2, '27h'],
  },
]);
