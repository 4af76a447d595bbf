import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta } from '../generated/meta-v1.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import { describeFieldError } from '../meta/status-error.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';

const rules = { namespaced: true, validateName: nameIsDnsSubdomain, typeName: 'io.k8s.api.core.v1.ConfigMap' };
const objectWith = (metadata: ObjectMeta): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
const key =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const createRows: readonly { name: string; given: ObjectMeta; want: readonly string[] }[] = [
  { name: 'nothing wrong', given: { name: 'a.b-c', labels: { 'x.y/z': '', a: 'B_1' }, finalizers: ['a.b/c', 'orphan'] }, want: [] },
  { name: 'no name', given: {}, want: ['metadata.name: Required value: name or generateName is required'] },
  { name: 'a bad name', given: { name: 'B_' }, want: [`metadata.name: Invalid value: "B_": ${subdomain}`] },
  {
    name: 'a long name',
    given: { name: 'x'.repeat(254) },
    want: [`metadata.name: Invalid value: "${'x'.repeat(254)}": must be no more than 253 characters`],
  },
  { name: 'a generated name may end in a dash', given: { generateName: 'a-', name: 'a-xyz' }, want: [] },
  {
    name: 'labels',
    given: { name: 'a', labels: { '': 'x', 'a/': 'x', '/a': 'x', ['k'.repeat(64)]: 'v'.repeat(64) } },
    want: [
      'metadata.labels: Invalid value: "": name part must be non-empty',
      `metadata.labels: Invalid value: "": name part ${key}`,
      'metadata.labels: Invalid value: "a/": name part must be non-empty',
      `metadata.labels: Invalid value: "a/": name part ${key}`,
      'metadata.labels: Invalid value: "/a": prefix part must be non-empty',
      `metadata.labels: Invalid value: "${'k'.repeat(64)}": name part must be no more than 63 bytes`,
      `metadata.labels: Invalid value: "${'v'.repeat(64)}": must be no more than 63 bytes`,
    ],
  },
  {
    name: 'annotations',
    given: { name: 'a', annotations: { 'A/B/c': '1', 'Ok/x': 'x'.repeat(256 * 1024) } },
    want: [
      `metadata.annotations: Invalid value: "A/B/c": a valid label key ${key} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
  },
  {
    name: 'owners',
    given: {
      name: 'a',
      ownerReferences: [
        { apiVersion: '', kind: '', name: '', uid: '' },
        { apiVersion: 'v1', kind: 'Pod', name: 'e', uid: 'u', controller: true },
        { apiVersion: 'v1', kind: 'Event', name: 'f', uid: 'u' },
      ],
    },
    want: [
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"f","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
    ],
  },
  {
    name: 'finalizers',
    given: { name: 'a', finalizers: ['x', 'a.b/c', 'orphan', 'foregroundDeletion'] },
    want: [
      'metadata.finalizers: Invalid value: ["x","a.b/c","orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    name: 'managed fields',
    given: { name: 'a', managedFields: [{ operation: 'X', fieldsType: 'Y', manager: 'a\u0007' }] },
    want: [
      'metadata.managedFields[0].operation: Invalid value: "X": must be `Apply` or `Update`',
      'metadata.managedFields[0].fieldsType: Invalid value: "Y": must be `FieldsV1`',
      'metadata.managedFields[0].manager: Invalid value: "a\\a": invalid character U+0007 (at position 1)',
    ],
  },
  {
    name: 'generation',
    given: { name: 'a', generation: -1 },
    want: ['metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
  },
];

test('metadata of a new object', async (t) => {
  for (const { name, given, want } of createRows) {
    await t.test(name, () => {
      assert.deepEqual(validateMetadata(rules, objectWith({ namespace: 'ns', ...given })).map(describeFieldError), want);
    });
  }
  await t.test('a namespace where there is none', () => {
    const found = validateMetadata({ ...rules, namespaced: false }, objectWith({ name: 'a', namespace: 'b' }));
    assert.deepEqual(found.map(describeFieldError), ['metadata.namespace: Forbidden: not allowed on this type']);
  });
});

const old: ObjectMeta = {
  name: 'a',
  namespace: 'n',
  uid: 'u',
  resourceVersion: '5',
  generation: 2,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const updateRows: readonly { name: string; given: ObjectMeta; from?: ObjectMeta; want: readonly string[] }[] = [
  { name: 'nothing changed', given: { labels: { a: 'b' } }, want: [] },
  { name: 'name', given: { name: 'b' }, want: ['metadata.name: Invalid value: "b": field is immutable'] },
  { name: 'generation', given: { generation: 1 }, want: ['metadata.generation: Invalid value: 1: must not be decremented'] },
  {
    name: 'no version',
    given: { resourceVersion: '' },
    want: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
  },
  {
    name: 'deletion',
    given: { deletionTimestamp: '2020-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 },
    want: [
      'metadata.deletionTimestamp: Invalid value: "2020-01-01T00:00:00Z": field is immutable',
      'metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable',
    ],
  },
  {
    name: 'a finalizer that is nobody’s',
    given: { finalizers: ['a'] },
    want: ['metadata.finalizers[0]: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified'],
  },
  {
    name: 'no new finalizers when it is being deleted',
    from: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.b/c'] },
    given: { finalizers: ['a.b/c', 'x.y/z', 'b.c/d'] },
    want: [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b.c/d", "x.y/z"}',
    ],
  },
];

test('metadata of an update', async (t) => {
  for (const { name, given, from, want } of updateRows) {
    await t.test(name, () => {
      const before = { ...old, ...from };
      assert.deepEqual(
        validateMetadataUpdate({ typeName: 'io.k8s.api.core.v1.ConfigMap' }, { ...before, ...given }, before).map(describeFieldError),
        want,
      );
    });
  }
});
