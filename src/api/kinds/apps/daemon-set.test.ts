/** DaemonSet: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in metadata.annotations, spec.template.spec.containers[0].resources and 16 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    has: {
      'metadata.annotations': { 'deprecated.daemonset.template.generation': '1' },
      'spec.template.spec.containers[0].resources': {},
      'spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.template.spec.restartPolicy': 'Always',
      'spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.template.spec.securityContext': {},
      'spec.template.spec.schedulerName': 'default-scheduler',
      'spec.updateStrategy.type': 'RollingUpdate',
      'spec.updateStrategy.rollingUpdate.maxUnavailable': 1,
      'spec.updateStrategy.rollingUpdate.maxSurge': 0,
      'spec.revisionHistoryLimit': 10,
      'status.currentNumberScheduled': 0,
      'status.numberMisscheduled': 0,
      'status.desiredNumberScheduled': 0,
      'status.numberReady': 0,
    },
  },
  {
    name: 'refuses spec.template.metadata.labels and 2 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: {
        updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
        selector: { matchLabels: { a: 'c' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    errors: [
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
  },
  {
    name: 'refuses spec.template.metadata.labels and 1 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: {
        updateStrategy: { rollingUpdate: { maxUnavailable: 0 } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    errors: [
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
    },
  },
  [
    {
      name: 'update: refuses spec.selector and 1 more',
      change: { spec: { selector: { matchLabels: { a: 'c' } } } },
      errors: [
        'spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable',
        'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      ],
    },
    { name: 'update: takes spec.template', change: { spec: { template: { metadata: { labels: { c: 'd' } } } } } },
    {
      name: 'status: refuses status.numberReady',
      change: { status: { numberReady: -1 } },
      subresource: 'status',
      errors: ['status.numberReady: Invalid value: -1: must be greater than or equal to 0'],
    },
  ],
);

testCells([
  {
    name: 'shows 3, 2, 1',
    object: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { nodeSelector: { q: 'r' }, containers: [{ name: 'a', image: 'x' }] } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        desiredNumberScheduled: 3,
        currentNumberScheduled: 2,
        numberReady: 1,
        numberMisscheduled: 0,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
      },
    },
    cells: ['x', 3, 2, 1, 1, 1, 'q=r', '27h', 'a', 'x', 'a=b'],
  },
]);
