/** ConfigMap: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  { name: 'takes what is complete', given: { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'b' } } },
  {
    name: 'refuses data[a b] and 3 more',
    given: { apiVersion: 'v1', kind: 'ConfigMap', data: { 'a b': 'b', x: 'y', '..': 'c' }, binaryData: { x: 'AAAA', 'q/': 'AAAA' } },
    errors: [
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      'data[x]: Invalid value: "x": duplicate of key present in binaryData',
      'data[..]: Invalid value: "..": must not be \'..\'',
      "binaryData[q/]: Invalid value: \"q/\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  },
]);

testUpdates({ apiVersion: 'v1', kind: 'ConfigMap', immutable: true, data: { a: 'b' } }, [
  { name: 'update: refuses data', change: { data: { a: 'c' } }, errors: ['data: Forbidden: field is immutable when `immutable` is set'] },
  {
    name: 'update: refuses immutable',
    change: { immutable: null },
    errors: ['immutable: Forbidden: field is immutable when `immutable` is set'],
  },
  { name: 'update: takes metadata.labels', change: { metadata: { labels: { a: 'b' } } } },
]);
