/** PersistentVolumeClaim: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.volumeMode, status.phase',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    has: { 'spec.volumeMode': 'Filesystem', 'status.phase': 'Pending' },
  },
  {
    name: 'refuses spec.accessModes and 1 more',
    given: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: {} },
    errors: ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value'],
  },
  {
    name: 'fills in spec.volumeMode, spec.dataSourceRef.kind and 2 more',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSource: { kind: 'PersistentVolumeClaim', name: 'foo' },
      },
    },
    has: {
      'spec.volumeMode': 'Filesystem',
      'spec.dataSourceRef.kind': 'PersistentVolumeClaim',
      'spec.dataSourceRef.name': 'foo',
      'status.phase': 'Pending',
    },
  },
  {
    name: 'fills in spec.volumeMode, status.phase (2)',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSource: { kind: 'Foo', name: 'foo', apiGroup: 'x.y' },
      },
    },
    has: { 'spec.volumeMode': 'Filesystem', 'status.phase': 'Pending' },
  },
  {
    name: 'warns of metadata.annotations[volume.beta.kubernetes.io/storage-class] and 1 more',
    given: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { annotations: { 'volume.beta.kubernetes.io/storage-class': 'x' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100m' } } },
    },
    has: { 'spec.volumeMode': 'Filesystem', 'status.phase': 'Pending' },
    warnings: [
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
      'spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    spec: { storageClassName: 'x', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  [
    {
      name: 'update: refuses spec',
      change: { spec: { resources: { requests: { storage: '2Gi' } } } },
      errors: [
        'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ],
    },
    {
      name: 'update: refuses spec',
      change: { spec: { accessModes: ['ReadWriteMany'] } },
      errors: [
        'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ],
    },
    { name: 'update: takes spec.volumeName', change: { spec: { volumeName: 'v' } } },
    {
      name: 'status: takes phase and capacity',
      change: { status: { phase: 'Bound', capacity: { storage: '1Gi' } } },
      subresource: 'status',
      has: { 'status.capacity.storage': '1Gi' },
    },
  ],
);

testCells([
  {
    name: 'shows Pending, v, 0',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { volumeName: 'v', storageClassName: 'x', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'Pending', 'v', '0', '', 'x', '<unset>', '27h', 'Filesystem'],
  },
  {
    name: 'shows Bound, v, 1Gi',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { volumeName: 'v', storageClassName: 'x', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Bound', accessModes: ['ReadWriteOnce', 'ReadWriteMany'], capacity: { storage: '1Gi' } },
    },
    cells: ['x', 'Bound', 'v', '1Gi', 'RWO,RWX', 'x', '<unset>', '27h', 'Filesystem'],
  },
]);
