/** ReplicationController: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in metadata.labels.a, spec.replicas and 11 more',
    given: {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      spec: { template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } } },
    },
    has: {
      'metadata.labels.a': 'b',
      'spec.replicas': 1,
      'spec.selector.a': 'b',
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
    name: 'refuses spec.minReadySeconds and 4 more',
    given: {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      spec: {
        replicas: -1,
        minReadySeconds: -1,
        selector: { a: 'c' },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { restartPolicy: 'Never', activeDeadlineSeconds: 5, containers: [{ name: 'c', image: 'x' }] },
        },
      },
    },
    errors: [
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
    ],
  },
  {
    name: 'refuses spec.selector and 1 more',
    given: { apiVersion: 'v1', kind: 'ReplicationController', spec: {} },
    errors: ['spec.selector: Required value', 'spec.template: Required value'],
  },
  {
    name: 'warns of metadata.name and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'a.b' },
      spec: {
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { nodeSelector: { 'beta.kubernetes.io/os': 'x' }, containers: [{ name: 'a', image: 'x' }] },
        },
      },
    },
    has: {
      'metadata.labels.a': 'b',
      'spec.replicas': 1,
      'spec.selector.a': 'b',
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
    warnings: [
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    ],
  },
]);
