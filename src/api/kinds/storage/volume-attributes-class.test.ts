/** VolumeAttributesClass: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttributesClass', driverName: 'a', parameters: { a: 'b' } },
  },
  {
    name: 'refuses driverName and 1 more',
    given: { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttributesClass', driverName: 'a b' },
    errors: [
      "driverName: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'parameters: Required value: must contain at least one key/value pair',
    ],
  },
]);

testUpdates({ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttributesClass', driverName: 'a', parameters: { a: 'b' } }, [
  {
    name: 'update: refuses parameters',
    change: { parameters: { a: 'c' } },
    errors: ['parameters: Forbidden: updates to parameters are forbidden.'],
  },
  {
    name: 'update: refuses driverName',
    change: { driverName: 'b' },
    errors: ['driverName: Forbidden: updates to driverName are forbidden.'],
  },
]);
