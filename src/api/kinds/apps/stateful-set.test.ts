/** StatefulSet: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.replicas, spec.template.spec.containers[0].resources and 20 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        serviceName: 's',
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'd', mountPath: '/d' }] }] },
        },
        volumeClaimTemplates: [
          { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
        ],
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
      'spec.volumeClaimTemplates[0].kind': 'PersistentVolumeClaim',
      'spec.volumeClaimTemplates[0].apiVersion': 'v1',
      'spec.volumeClaimTemplates[0].spec.volumeMode': 'Filesystem',
      'spec.volumeClaimTemplates[0].status.phase': 'Pending',
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.updateStrategy.type': 'RollingUpdate',
      'spec.updateStrategy.rollingUpdate.partition': 0,
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain',
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
      'status.replicas': 0,
      'status.availableReplicas': 0,
    },
  },
  {
    name: 'refuses spec.podManagementPolicy and 8 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        serviceName: 'S_',
        podManagementPolicy: 'Foo',
        updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'X' },
        ordinals: { start: -1 },
        selector: { matchLabels: { a: 'c' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'x' }] } },
        volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }],
      },
    },
    errors: [
      "spec.podManagementPolicy: Invalid value: \"Foo\": must be 'OrderedReady' or 'Parallel'",
      'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":1,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "X": supported values: "Retain", "Delete"',
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
      'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      "spec.serviceName: Invalid value: \"S_\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
      'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
    ],
  },
  {
    name: 'fills in spec.replicas, spec.template.spec.containers[0].resources and 16 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
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
      'spec.serviceName': '',
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.updateStrategy.rollingUpdate.partition': 0,
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain',
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
      'status.replicas': 0,
      'status.availableReplicas': 0,
    },
  },
  {
    name: 'fills in spec.replicas, spec.template.spec.containers[0].resources and 15 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        updateStrategy: { type: 'RollingUpdate' },
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
      'spec.serviceName': '',
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain',
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
      'status.replicas': 0,
      'status.availableReplicas': 0,
    },
  },
  {
    name: 'warns of spec.template.spec.nodeSelector[beta.kubernetes.io/os] and 1 more',
    given: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        serviceName: 'x',
        selector: { matchLabels: { a: 'b' } },
        template: {
          metadata: { labels: { a: 'b' } },
          spec: { nodeSelector: { 'beta.kubernetes.io/os': 'x' }, containers: [{ name: 'a', image: 'x' }] },
        },
        volumeClaimTemplates: [
          { metadata: { name: 'a' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100m' } } } },
        ],
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
      'spec.volumeClaimTemplates[0].kind': 'PersistentVolumeClaim',
      'spec.volumeClaimTemplates[0].apiVersion': 'v1',
      'spec.volumeClaimTemplates[0].spec.volumeMode': 'Filesystem',
      'spec.volumeClaimTemplates[0].status.phase': 'Pending',
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.updateStrategy.type': 'RollingUpdate',
      'spec.updateStrategy.rollingUpdate.partition': 0,
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Retain',
      'spec.persistentVolumeClaimRetentionPolicy.whenScaled': 'Retain',
      'status.replicas': 0,
      'status.availableReplicas': 0,
    },
    warnings: [
      'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    spec: {
      serviceName: 'x',
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
    },
  },
  [
    {
      name: 'update: refuses spec',
      change: { spec: { serviceName: 'y' } },
      errors: [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    },
    { name: 'update: takes spec.replicas and spec.minReadySeconds', change: { spec: { replicas: 5, minReadySeconds: 4 } } },
    {
      name: 'update: refuses spec.template.metadata.labels and 1 more',
      change: { spec: { selector: { matchLabels: { a: 'c' } } } },
      errors: [
        'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    },
    {
      name: 'status: refuses status.readyReplicas',
      change: { status: { replicas: 1, readyReplicas: 2 } },
      subresource: 'status',
      errors: ['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas'],
    },
  ],
);

testCells([
  {
    name: 'shows 1/2, 27h, a',
    object: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: {
        serviceName: 'x',
        replicas: 2,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { replicas: 2, readyReplicas: 1 },
    },
    cells: ['x', '1/2', '27h', 'a', 'x'],
  },
]);
