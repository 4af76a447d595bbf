/** IngressClass: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.parameters.scope',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      spec: { controller: 'a.b/c', parameters: { kind: 'X', name: 'y' } },
    },
    has: { 'spec.parameters.scope': 'Cluster' },
  },
  {
    name: 'refuses spec.parameters.namespace',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      spec: { controller: 'a.b/c', parameters: { kind: 'X', name: 'y', scope: 'Namespace' } },
    },
    errors: ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  },
  {
    name: 'refuses spec.controller and 4 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      spec: { controller: 'a.b/c d', parameters: { apiGroup: 'A B', kind: 'a/b', name: '', scope: 'Cluster', namespace: 'x' } },
    },
    errors: [
      "spec.controller: Invalid value: \"c d\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
      "spec.parameters.apiGroup: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.parameters.kind: Invalid value: "a/b": may not contain \'/\'',
      'spec.parameters.name: Required value',
      "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
    ],
  },
  {
    name: 'refuses spec.controller and 3 more',
    given: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      spec: { controller: 'abc', parameters: { kind: '', name: '%', scope: 'Foo', namespace: 'X Y' } },
    },
    errors: [
      'spec.controller: Invalid value: "abc": must be a domain-prefixed path (such as "acme.io/foo")',
      'spec.parameters.kind: Required value',
      'spec.parameters.name: Invalid value: "%": may not contain \'%\'',
      'spec.parameters.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespace"',
    ],
  },
  {
    name: 'refuses spec.controller',
    given: { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', spec: {} },
    errors: ['spec.controller: Required value'],
  },
]);

testUpdates({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', spec: { controller: 'a.b/c' } }, [
  {
    name: 'update: refuses spec.controller',
    change: { spec: { controller: 'a.b/d' } },
    errors: ['spec.controller: Invalid value: "a.b/d": field is immutable'],
  },
]);

testCells([
  {
    name: 'shows a.b/c, X.g.h/y, 27h',
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' }, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { controller: 'a.b/c', parameters: { kind: 'X', apiGroup: 'g.h', name: 'y' } },
    },
    cells: ['x (default)', 'a.b/c', 'X.g.h/y', '27h'],
  },
]);
