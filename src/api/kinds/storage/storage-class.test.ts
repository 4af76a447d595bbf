/** StorageClass: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in reclaimPolicy, volumeBindingMode',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'a/b' },
    has: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  },
  {
    name: 'refuses provisioner and 6 more',
    given: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      provisioner: 'a b',
      reclaimPolicy: 'Recycle',
      volumeBindingMode: 'Foo',
      allowedTopologies: [
        {
          matchLabelExpressions: [
            { key: 'a', values: ['x', 'x'] },
            { key: 'a', values: [] },
          ],
        },
        { matchLabelExpressions: [{ key: 'a', values: ['x'] }] },
        { matchLabelExpressions: [{ key: 'a', values: ['x'] }] },
      ],
    },
    errors: [
      "provisioner: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Foo": supported values: "Immediate", "WaitForFirstConsumer"',
      'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "x"',
      'allowedTopologies[0].matchLabelExpressions[1].values: Required value',
      'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"',
      'allowedTopologies[2].matchLabelExpressions: Duplicate value: ""',
    ],
  },
  {
    name: 'refuses provisioner',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' },
    errors: ['provisioner: Required value'],
  },
]);

testUpdates({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'a/b' }, [
  {
    name: 'update: refuses parameters',
    change: { parameters: { a: 'b' } },
    errors: ['parameters: Invalid value: {"a":"b"}: field is immutable'],
  },
  {
    name: 'update: refuses provisioner',
    change: { provisioner: 'c/d' },
    errors: ['provisioner: Invalid value: "c/d": field is immutable'],
  },
  {
    name: 'update: refuses reclaimPolicy',
    change: { reclaimPolicy: 'Retain' },
    errors: ['reclaimPolicy: Invalid value: "Retain": field is immutable'],
  },
  { name: 'update: takes allowVolumeExpansion', change: { allowVolumeExpansion: true } },
]);

testCells([
  {
    name: 'shows a/b, Delete, Immediate',
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' }, creationTimestamp: '2026-01-01T00:00:00Z' },
      provisioner: 'a/b',
    },
    cells: ['x (default)', 'a/b', 'Delete', 'Immediate', false, '27h'],
  },
]);
