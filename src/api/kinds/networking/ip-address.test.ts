/** IPAddress: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: '10.1.2.3' },
      spec: { parentRef: { resource: 'services', name: 'x', namespace: 'y' } },
    },
  },
  {
    name: 'refuses spec.parentRef.group and 3 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: '10.1.2.3' },
      spec: { parentRef: { group: 'A B', resource: 'a/b', name: '', namespace: '/' } },
    },
    errors: [
      "spec.parentRef.group: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.parentRef.resource: Invalid value: "a/b": may not contain \'/\'',
      'spec.parentRef.name: Required value',
      'spec.parentRef.namespace: Invalid value: "/": may not contain \'/\'',
    ],
  },
  {
    name: 'refuses spec.parentRef',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name: '10.1.2.3' }, spec: {} },
    errors: ['spec.parentRef: Required value'],
  },
]);

const taken = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { name: '10.1.2.3' },
  spec: { parentRef: { resource: 'services', name: 'x', namespace: 'y' } },
};

testUpdates(taken, [
  { name: 'update: takes labels', change: { metadata: { labels: { a: 'b' } } } },
  {
    name: 'update: refuses another parent',
    change: { spec: { parentRef: { name: 'z' } } },
    errors: ['spec.parentRef: Invalid value: {"name":"z","namespace":"y","resource":"services"}: field is immutable'],
  },
  {
    name: 'update: refuses to lose the parent',
    change: { spec: { parentRef: null } },
    errors: ['spec.parentRef: Required value', 'spec.parentRef: Invalid value: null: field is immutable'],
  },
]);
