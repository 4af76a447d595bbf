/** FlowSchema: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.matchingPrecedence, status',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      spec: {
        priorityLevelConfiguration: { name: 'x' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: '*' } }],
            resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true }],
          },
        ],
      },
    },
    has: { 'spec.matchingPrecedence': 1000, status: {} },
  },
  {
    name: 'refuses spec.priorityLevelConfiguration.name',
    given: { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', spec: {} },
    errors: ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
  },
  {
    name: 'refuses spec.matchingPrecedence and 31 more',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      spec: {
        matchingPrecedence: 1,
        distinguisherMethod: { type: 'Foo' },
        priorityLevelConfiguration: { name: 'a b' },
        rules: [
          {},
          {
            subjects: [
              { kind: 'Foo' },
              { kind: 'User' },
              { kind: 'Group', group: { name: '' }, user: { name: 'a' } },
              { kind: 'ServiceAccount', serviceAccount: { name: 'a b', namespace: '' }, group: { name: 'a' } },
              { kind: 'ServiceAccount', serviceAccount: { name: '', namespace: 'a b' } },
            ],
            resourceRules: [
              {},
              { verbs: ['*', 'a'], apiGroups: ['*', 'a'], resources: ['*', 'b'], namespaces: ['*', 'c'] },
              { verbs: ['foo'], apiGroups: ['a'], resources: ['b'], namespaces: ['a b'] },
            ],
            nonResourceRules: [
              {},
              { verbs: ['get'], nonResourceURLs: ['', 'a', '/a b', '//', '/*a', '/'] },
              { verbs: ['get'], nonResourceURLs: ['*', 'a'] },
            ],
          },
        ],
      },
    },
    errors: [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
      'spec.distinguisherMethod.type: Unsupported value: {"Type":"Foo"}: supported values: "ByNamespace", "ByUser"',
      "spec.priorityLevelConfiguration.name: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.rules[0].subjects: Required value: subjects must contain at least one value',
      'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      'spec.rules[1].subjects[0].kind: Unsupported value: "Foo": supported values: "Group", "ServiceAccount", "User"',
      "spec.rules[1].subjects[1].user: Required value: user is required when subject kind is 'User'",
      'spec.rules[1].subjects[2].group.name: Required value',
      "spec.rules[1].subjects[2].user: Forbidden: user is forbidden when subject kind is not 'User'",
      "spec.rules[1].subjects[3].serviceAccount.name: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.rules[1].subjects[3].serviceAccount.namespace: Required value: must specify namespace for service account',
      "spec.rules[1].subjects[3].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'spec.rules[1].subjects[4].serviceAccount.name: Required value',
      "spec.rules[1].subjects[4].serviceAccount.namespace: Invalid value: \"a b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.rules[1].resourceRules[0].verbs: Required value: verbs must contain at least one value',
      'spec.rules[1].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'spec.rules[1].resourceRules[0].resources: Required value: resource rules must supply at least one resource',
      'spec.rules[1].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
      'spec.rules[1].resourceRules[1].verbs: Invalid value: ["*","a"]: if \'*\' is present, must not specify other verbs',
      'spec.rules[1].resourceRules[1].apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other api groups',
      'spec.rules[1].resourceRules[1].resources: Invalid value: ["*","b"]: if \'*\' is present, must not specify other resources',
      'spec.rules[1].resourceRules[1].namespaces: Invalid value: ["*","c"]: if \'*\' is present, must not specify other namespaces',
      'spec.rules[1].resourceRules[2].verbs: Unsupported value: ["foo"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
      "spec.rules[1].resourceRules[2].namespaces[0]: Invalid value: \"a b\": each member of this list must be '*' or a DNS-1123 label; a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      'spec.rules[1].nonResourceRules[0].verbs: Required value: verbs must contain at least one value',
      'spec.rules[1].nonResourceRules[0].nonResourceURLs: Required value: nonResourceURLs must contain at least one value',
      'spec.rules[1].nonResourceRules[1].nonResourceURLs[0]: Invalid value: "": must not be empty',
      'spec.rules[1].nonResourceRules[1].nonResourceURLs[1]: Invalid value: "a": must start with slash',
      'spec.rules[1].nonResourceRules[1].nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space',
      'spec.rules[1].nonResourceRules[1].nonResourceURLs[3]: Invalid value: "//": must not contain double slash',
      'spec.rules[1].nonResourceRules[1].nonResourceURLs[4]: Invalid value: "/*a": wildcard can only do suffix matching',
      'spec.rules[1].nonResourceRules[2].nonResourceURLs: Invalid value: ["*","a"]: if \'*\' is present, must not specify other non-resource URLs',
    ],
  },
  {
    name: 'refuses spec.matchingPrecedence',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      spec: { matchingPrecedence: 20000, priorityLevelConfiguration: { name: 'a' } },
    },
    errors: ['spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000'],
  },
  {
    name: 'refuses spec.matchingPrecedence (2)',
    given: {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      kind: 'FlowSchema',
      spec: { matchingPrecedence: -1, priorityLevelConfiguration: { name: 'a' } },
    },
    errors: ['spec.matchingPrecedence: Invalid value: -1: must be a positive value'],
  },
]);
