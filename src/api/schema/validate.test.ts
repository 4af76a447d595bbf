import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFieldError, fieldErrors } from '../meta/status-error.ts';
import { objectSchema } from './types.ts';
import { mergeFieldErrors, validateByTable } from './validate.ts';

const rows: readonly { name: string; type: string; given: object; want: readonly string[] }[] = [
  {
    name: 'required',
    type: 'io.k8s.api.storage.v1.StorageClass',
    given: { metadata: {}, provisioner: '' },
    want: ['provisioner: Required value'],
  },
  {
    name: 'required, in a list',
    type: 'io.k8s.api.core.v1.Pod',
    given: { spec: { containers: [{ name: 'a' }, { name: '', volumeMounts: [{ name: 'v' }] }] }, status: { phase: 5 } },
    want: ['spec.containers[1].name: Required value', 'spec.containers[1].volumeMounts[0].mountPath: Required value'],
  },
  {
    name: 'enumeration',
    type: 'io.k8s.api.storage.v1.StorageClass',
    given: { provisioner: 'p', reclaimPolicy: 'Foo' },
    want: ['reclaimPolicy: Unsupported value: "Foo": supported values: "Delete", "Recycle", "Retain"'],
  },
  {
    name: 'enumeration in a list',
    type: 'io.k8s.api.core.v1.PersistentVolumeClaim',
    given: { spec: { accessModes: ['ReadWriteOnce', 'X'] } },
    want: [
      'spec.accessModes[1]: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ],
  },
  {
    name: 'bounds',
    type: 'io.k8s.api.apps.v1.ReplicaSet',
    given: { spec: { replicas: -1, selector: {} } },
    want: ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  },
  { name: 'required by upstream only as a Go type', type: 'io.k8s.api.core.v1.HTTPHeader', given: { name: 'X', value: '' }, want: [] },
];

test('both tables', async (t) => {
  for (const { name, type, given, want } of rows) {
    await t.test(name, () => assert.deepEqual(validateByTable(objectSchema(type), given).map(describeFieldError), want));
  }
});

test('where a hook speaks of the same field, its word counts', () => {
  const table = [fieldErrors.required('spec.a'), fieldErrors.required('spec.b')];
  const hook = [fieldErrors.invalid('spec.b', '', 'must be set')];
  assert.deepEqual(mergeFieldErrors(table, hook), [table[0], hook[0]]);
  assert.equal(mergeFieldErrors([], hook), hook);
});
