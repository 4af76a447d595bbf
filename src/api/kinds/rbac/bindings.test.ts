/** RoleBinding and ClusterRoleBinding: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in subjects[0].apiGroup, subjects[1].apiGroup and 1 more',
    given: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'x' },
        { kind: 'Group', name: 'y' },
        { kind: 'ServiceAccount', name: 'z' },
      ],
    },
    has: {
      'subjects[0].apiGroup': 'rbac.authorization.k8s.io',
      'subjects[1].apiGroup': 'rbac.authorization.k8s.io',
      'roleRef.apiGroup': 'rbac.authorization.k8s.io',
    },
  },
  {
    name: 'refuses roleRef.apiGroup and 8 more',
    given: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'x', kind: 'Foo', name: '' },
      subjects: [
        { kind: 'User', name: '', apiGroup: 'x' },
        { kind: 'Group', name: 'y', apiGroup: 'z' },
        { kind: 'ServiceAccount', name: 'A B', apiGroup: 'x' },
        { kind: 'Bar', name: 'x' },
      ],
    },
    errors: [
      'roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      'roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
      'subjects[0].name: Required value',
      'subjects[0].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      'subjects[1].apiGroup: Unsupported value: "z": supported values: "rbac.authorization.k8s.io"',
      "subjects[2].name: Invalid value: \"A B\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'subjects[2].apiGroup: Unsupported value: "x": supported values: ""',
      'subjects[3].kind: Unsupported value: "Bar": supported values: "ServiceAccount", "User", "Group"',
    ],
  },
  {
    name: 'refuses roleRef.name',
    given: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', roleRef: { kind: 'Role', name: 'a/b' } },
    errors: ['roleRef.name: Invalid value: "a/b": may not contain \'/\''],
  },
  {
    name: 'refuses roleRef.kind and 1 more',
    given: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      roleRef: { kind: 'Role', name: 'x' },
      subjects: [{ kind: 'ServiceAccount', name: 'x' }],
    },
    errors: ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"', 'subjects[0].namespace: Required value'],
  },
]);

testUpdates(
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
  },
  [
    {
      name: 'update: refuses roleRef',
      change: { roleRef: { name: 'edit' } },
      errors: [
        'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef',
      ],
    },
    { name: 'update: takes subjects', change: { subjects: [{ kind: 'User', name: 'x' }] } },
  ],
);

testCells([
  {
    name: 'shows ClusterRole/view, 27h, x, y',
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'x' },
        { kind: 'User', name: 'y' },
        { kind: 'Group', name: 'g' },
        { kind: 'ServiceAccount', name: 's', namespace: 'n' },
      ],
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    },
    cells: ['x', 'ClusterRole/view', '27h', 'x, y', 'g', 'n/s'],
  },
]);
