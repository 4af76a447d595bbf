/** Namespace: what is filled in, and what is refused. */
import { testCells, testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in metadata.labels, spec.finalizers and 1 more',
    given: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'foo' } },
    has: { 'metadata.labels': { 'kubernetes.io/metadata.name': 'foo' }, 'spec.finalizers': ['kubernetes'], 'status.phase': 'Active' },
  },
  {
    name: 'fills in metadata.labels, spec.finalizers and 1 more (2)',
    given: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'foo', labels: { a: 'b' } }, spec: { finalizers: ['a/b'] } },
    has: {
      'metadata.labels': { a: 'b', 'kubernetes.io/metadata.name': 'foo' },
      'spec.finalizers': ['a/b', 'kubernetes'],
      'status.phase': 'Active',
    },
  },
  {
    name: 'refuses spec.finalizers',
    given: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'foo' }, spec: { finalizers: ['a b', 'x'] } },
    errors: [
      "spec.finalizers: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.finalizers: Invalid value: "a b": name is neither a standard finalizer name nor is it fully qualified',
      'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
]);

testCells([
  {
    name: 'shows Active, 27h',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kinds-c-ns', creationTimestamp: '2026-01-01T00:00:00Z' } },
    cells: ['kinds-c-ns', 'Active', '27h'],
  },
]);
