/** VolumeAttachment: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in status.attached',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      spec: { attacher: 'a', nodeName: 'b', source: { persistentVolumeName: 'x' } },
      status: { attached: true },
    },
    has: { 'status.attached': false },
  },
  {
    name: 'refuses spec.attacher and 2 more',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', spec: { attacher: 'a b', nodeName: 'b c', source: {} } },
    errors: [
      "spec.attacher: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
      "spec.nodeName: Invalid value: \"b c\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    name: 'refuses spec.attacher and 3 more',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      spec: { attacher: '', nodeName: '', source: { persistentVolumeName: 'a b', inlineVolumeSpec: {} } },
    },
    errors: [
      'spec.attacher: Required value',
      'spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
      "spec.nodeName: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.source.persistentVolumeName: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  {
    name: 'fills in status.attached (2)',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      spec: {
        attacher: 'a',
        nodeName: 'x',
        source: { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], csi: { driver: 'a', volumeHandle: 'b' } } },
      },
    },
    has: { 'status.attached': false },
  },
  {
    name: 'refuses spec.source.inlineVolumeSpec.capacity and 2 more',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      spec: { attacher: 'a', nodeName: 'x', source: { inlineVolumeSpec: { capacity: { storage: 1 }, nfs: { server: 'a', path: '/' } } } },
    },
    errors: [
      'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.accessModes: Required value',
    ],
  },
]);

testUpdates(
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    spec: { attacher: 'a', nodeName: 'b', source: { persistentVolumeName: 'x' } },
  },
  [
    {
      name: 'update: refuses spec',
      change: { spec: { nodeName: 'c' } },
      errors: [
        'spec: Invalid value: {"Attacher":"a","Source":{"PersistentVolumeName":"x","InlineVolumeSpec":null},"NodeName":"c"}: field is immutable',
      ],
    },
    {
      name: 'status: takes metadata.labels and status.attached and status.attachError',
      change: { metadata: { labels: { q: 'r' } }, status: { attached: true, attachError: { message: 'x' } } },
      subresource: 'status',
    },
  ],
);

testCells([
  {
    name: 'shows a, x, b',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      spec: { attacher: 'a', nodeName: 'b', source: { persistentVolumeName: 'x' } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { attached: true },
    },
    cells: ['x', 'a', 'x', 'b', true, '27h'],
  },
]);
