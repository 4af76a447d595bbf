/** Deployment: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.replicas, spec.template.spec.volumes[0].emptyDir and 21 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: {
            containers: [{ name: 'c', image: 'x', livenessProbe: { httpGet: { port: 80 } }, resources: { limits: { cpu: 1 } } }],
            volumes: [{ name: 'v' }],
          },
        },
      },
    },
    has: {
      'spec.replicas': 1,
      'spec.template.spec.volumes[0].emptyDir': {},
      'spec.template.spec.containers[0].resources.limits.cpu': '1',
      'spec.template.spec.containers[0].livenessProbe.httpGet.path': '/',
      'spec.template.spec.containers[0].livenessProbe.httpGet.scheme': 'HTTP',
      'spec.template.spec.containers[0].livenessProbe.timeoutSeconds': 1,
      'spec.template.spec.containers[0].livenessProbe.periodSeconds': 10,
      'spec.template.spec.containers[0].livenessProbe.successThreshold': 1,
      'spec.template.spec.containers[0].livenessProbe.failureThreshold': 3,
      'spec.template.spec.containers[0].terminationMessagePath': '/dev/termination-log',
      'spec.template.spec.containers[0].terminationMessagePolicy': 'File',
      'spec.template.spec.containers[0].imagePullPolicy': 'Always',
      'spec.template.spec.restartPolicy': 'Always',
      'spec.template.spec.terminationGracePeriodSeconds': 30,
      'spec.template.spec.dnsPolicy': 'ClusterFirst',
      'spec.template.spec.securityContext': {},
      'spec.template.spec.schedulerName': 'default-scheduler',
      'spec.strategy.type': 'RollingUpdate',
      'spec.strategy.rollingUpdate.maxUnavailable': '25%',
      'spec.strategy.rollingUpdate.maxSurge': '25%',
      'spec.revisionHistoryLimit': 10,
      'spec.progressDeadlineSeconds': 600,
      status: {},
    },
  },
  {
    name: 'refuses spec.replicas and 6 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        replicas: -1,
        minReadySeconds: 700,
        selector: { matchLabels: { a: 'c' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { restartPolicy: 'Never', activeDeadlineSeconds: 5, containers: [{ name: 'c' }] },
        },
      },
    },
    errors: [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      'spec.template.spec.containers[0].image: Required value',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
      'spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds',
    ],
  },
  {
    name: 'refuses spec.selector and 3 more',
    given: { apiVersion: 'apps/v1', kind: 'Deployment', spec: { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 5 } } } },
    errors: [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
      'spec.template.spec.containers: Required value',
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
  },
  {
    name: 'refuses spec.selector.matchExpressions[0].operator and 3 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        selector: { matchExpressions: [{ key: 'a', operator: 'Foo' }] },
        strategy: { rollingUpdate: { maxSurge: 'x', maxUnavailable: '200%' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    },
    errors: [
      'spec.selector.matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator',
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Foo"}]}: invalid label selector',
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
    ],
  },
  {
    name: 'fills in spec.replicas, spec.template.spec.containers[0].resources and 11 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        strategy: { type: 'Recreate' },
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
      'spec.revisionHistoryLimit': 10,
      'spec.progressDeadlineSeconds': 600,
      status: {},
    },
  },
  {
    name: 'warns of metadata.name and 2 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a.b' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' }, annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' } },
          spec: { containers: [{ name: 'a', image: 'x', env: [{ name: 'A' }, { name: 'A' }] }] },
        },
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
      'spec.strategy.type': 'RollingUpdate',
      'spec.strategy.rollingUpdate.maxUnavailable': '25%',
      'spec.strategy.rollingUpdate.maxSurge': '25%',
      'spec.revisionHistoryLimit': 10,
      'spec.progressDeadlineSeconds': 600,
      status: {},
    },
    warnings: [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the "appArmorProfile" field instead',
      'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
    },
  },
  [
    {
      name: 'update: refuses spec.template.metadata.labels and 1 more',
      change: { spec: { selector: { matchLabels: { a: 'c' } } } },
      errors: [
        'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
        'spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable',
      ],
    },
    { name: 'update: takes spec.replicas', change: { spec: { replicas: 3 } } },
    { name: 'update: takes metadata.annotations', change: { metadata: { annotations: { a: 'b' } } } },
    {
      name: 'status: refuses status.readyReplicas and 2 more',
      change: { status: { replicas: 2, readyReplicas: 3, availableReplicas: 4 } },
      subresource: 'status',
      errors: [
        'status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas',
        'status.availableReplicas: Invalid value: 4: cannot be greater than status.replicas',
        'status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas',
      ],
    },
    {
      name: 'status: refuses status.collisionCount',
      change: { status: { collisionCount: -1 } },
      subresource: 'status',
      errors: ['status.collisionCount: Invalid value: -1: must be greater than or equal to 0'],
    },
  ],
);

testCells([
  {
    name: 'shows 2/3, 2, 1',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: {
        replicas: 3,
        selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['d', 'e'] }] },
        template: { metadata: { labels: { a: 'b', c: 'd' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { replicas: 3, readyReplicas: 2, updatedReplicas: 2, availableReplicas: 1 },
    },
    cells: ['x', '2/3', 2, 1, '27h', 'a', 'x', 'a=b,c in (d,e)'],
  },
]);
