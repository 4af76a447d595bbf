/** PersistentVolume: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.capacity.storage, spec.hostPath.type and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: { capacity: { storage: '1024Mi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    },
    has: {
      'spec.capacity.storage': '1Gi',
      'spec.hostPath.type': '',
      'spec.persistentVolumeReclaimPolicy': 'Retain',
      'spec.volumeMode': 'Filesystem',
      'status.phase': 'Pending',
    },
  },
  {
    name: 'refuses spec.nodeAffinity',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], local: { path: '/x' } },
    },
    errors: ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
  },
  {
    name: 'refuses spec.csi.driver and 3 more',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        csi: { driver: '', volumeHandle: '', nodePublishSecretRef: { name: 'A', namespace: '' } },
      },
    },
    errors: [
      'spec.csi.driver: Required value',
      'spec.csi.volumeHandle: Required value',
      "spec.csi.nodePublishSecretRef.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.csi.nodePublishSecretRef.namespace: Required value',
    ],
  },
  {
    name: 'refuses metadata.annotations.volume.beta.kubernetes.io/mount-options',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { annotations: { 'volume.beta.kubernetes.io/mount-options': 'x' } },
      spec: {
        capacity: { storage: 1 },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Recycle',
        hostPath: { path: '/x' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] }] } },
      },
    },
    errors: ['metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type'],
  },
]);

testUpdates(
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  },
  [
    {
      name: 'update: refuses spec.persistentvolumesource',
      change: { spec: { hostPath: { path: '/y' } } },
      errors: ['spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation'],
    },
    {
      name: 'update: refuses volumeMode',
      change: { spec: { volumeMode: 'Block' } },
      errors: ['volumeMode: Invalid value: "Block": field is immutable'],
    },
    { name: 'update: takes spec.capacity', change: { spec: { capacity: { storage: '2Gi' } } } },
  ],
);

testCells([
  {
    name: 'shows 1Gi, RWO,ROX, Retain',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: {
        storageClassName: 'x',
        claimRef: { namespace: 'a', name: 'b' },
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
        hostPath: { path: '/x' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', '1Gi', 'RWO,ROX', 'Retain', 'Pending', 'a/b', 'x', '<unset>', '', '27h', 'Filesystem'],
  },
  {
    name: 'shows 1Gi, RWO,ROX, Retain',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      spec: {
        storageClassName: 'x',
        claimRef: { namespace: 'a', name: 'b' },
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
        hostPath: { path: '/x' },
      },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Bound', reason: 'q' },
    },
    cells: ['x', '1Gi', 'RWO,ROX', 'Retain', 'Bound', 'a/b', 'x', '<unset>', 'q', '27h', 'Filesystem'],
  },
]);
