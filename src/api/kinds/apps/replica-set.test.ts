/** ReplicaSet: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.replicas, spec.template.spec.containers[0].resources and 9 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    has: {
      'spec.replicas': 1,
      'spec.template.spec.containers[0].resources': {},
      'spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.template.spec.restartPolicy': 'Always',
      'spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.template.spec.securityContext': {},
      'spec.template.spec.schedulerName': 'default-scheduler',
      'status.replicas': 0,
    },
  },
  {
    name: 'fills in spec.template.spec.containers[0].resources, spec.template.spec.containers[0].terminationMessagePath and 8 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      spec: {
        replicas: 0,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    has: {
      'spec.template.spec.containers[0].resources': {},
      'spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.template.spec.restartPolicy': 'Always',
      'spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.template.spec.securityContext': {},
      'spec.template.spec.schedulerName': 'default-scheduler',
      'status.replicas': 0,
    },
  },
  {
    name: 'refuses spec.replicas and 4 more',
    given: { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { replicas: -1, minReadySeconds: -1 } },
    errors: [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
      'spec.template.spec.containers: Required value',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
    },
  },
  [
    {
      name: 'update: refuses spec.selector',
      change: { spec: { selector: { matchLabels: { a: 'b', c: 'd' } }, template: { metadata: { labels: { a: 'b', c: 'd' } } } } },
      errors: ['spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable'],
    },
    {
      name: 'status: refuses status.readyReplicas',
      change: { status: { replicas: 2, readyReplicas: 3 } },
      subresource: 'status',
      errors: ['status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas'],
    },
  ],
);

testCells([
  {
    name: 'shows 3, 3, 2',
    object: {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      spec: {
        replicas: 3,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { replicas: 3, readyReplicas: 2 },
    },
    cells: ['x', 3, 3, 2, '27h', 'a', 'x', 'a=b'],
  },
]);
