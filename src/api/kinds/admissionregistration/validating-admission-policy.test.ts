/** ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding: what is filled in, and what is refused. */
import { testCreates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in spec.matchConstraints.namespaceSelector, spec.matchConstraints.objectSelector and 4 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        matchConstraints: { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] },
        validations: [{ expression: 'true' }],
      },
    },
    has: {
      'spec.matchConstraints.namespaceSelector': {},
      'spec.matchConstraints.objectSelector': {},
      'spec.matchConstraints.resourceRules[0].scope': '*',
      'spec.matchConstraints.matchPolicy': 'Equivalent',
      'spec.failurePolicy': 'Fail',
      status: {},
    },
  },
  {
    name: 'refuses spec.matchConstraints and 2 more',
    given: { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', spec: {} },
    errors: [
      'spec.matchConstraints: Required value',
      'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
      'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
    ],
  },
  {
    name: 'refuses spec.failurePolicy and 22 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        failurePolicy: 'X',
        paramKind: { apiVersion: 'a/b/c', kind: 'A b' },
        matchConstraints: {
          matchPolicy: 'Foo',
          objectSelector: { matchLabels: { 'a b': 'c' } },
          excludeResourceRules: [{ resourceNames: ['a/b', 'x', 'x'] }],
        },
        variables: [
          { name: '', expression: '' },
          { name: '1a', expression: 'true' },
        ],
        validations: [
          { expression: ' ' },
          { expression: 'true', message: ' ', messageExpression: ' ', reason: 'Foo' },
          { expression: 'true', message: 'a\nb' },
        ],
        auditAnnotations: [
          { key: 'a b', valueExpression: '' },
          { key: 'a', valueExpression: "'a'" },
          { key: 'a', valueExpression: "'a'" },
        ],
      },
    },
    errors: [
      'spec.failurePolicy: Unsupported value: "X": supported values: "Fail", "Ignore"',
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      "spec.paramKind.kind: Invalid value: \"A b\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      'spec.matchConstraints.matchPolicy: Unsupported value: "Foo": supported values: "Equivalent", "Exact"',
      "spec.matchConstraints.objectSelector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.matchConstraints.excludeResourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain \'/\'',
      'spec.matchConstraints.excludeResourceRules[0].resourceNames[2]: Duplicate value: "x"',
      'spec.matchConstraints.excludeResourceRules[0].operations: Required value',
      'spec.matchConstraints.excludeResourceRules[0].apiGroups: Required value',
      'spec.matchConstraints.excludeResourceRules[0].apiVersions: Required value',
      'spec.matchConstraints.excludeResourceRules[0].resources: Required value',
      'spec.matchConstraints.resourceRules: Required value',
      'spec.variables[0].name: Required value: name is not specified',
      'spec.variables[0].expression: Required value: expression is not specified',
      'spec.variables[1].name: Invalid value: "1a": must be a valid CEL identifier',
      'spec.validations[0].expression: Required value: expression is not specified',
      'spec.validations[1].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[1].message: Invalid value: " ": must be non-empty if specified',
      'spec.validations[1].reason: Unsupported value: "Foo": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'spec.validations[2].message: Invalid value: "a\\nb": must not contain line breaks',
      "spec.auditAnnotations[0].key: Invalid value: \"x/a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
      'spec.auditAnnotations[2].key: Duplicate value: "a"',
    ],
  },
  {
    name: 'refuses spec.paramKind.apiVersion and 2 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      spec: {
        paramKind: { apiVersion: 'A b/c d', kind: '' },
        matchConstraints: { resourceRules: [] },
        validations: [{ expression: 'true' }],
      },
    },
    errors: [
      "spec.paramKind.apiVersion: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.paramKind.apiVersion: Invalid value: \"c d\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      'spec.paramKind.kind: Required value',
      'spec.matchConstraints.resourceRules: Required value',
    ],
  },
  {
    name: 'refuses spec.paramKind.apiVersion and 1 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      spec: { paramKind: { apiVersion: '/', kind: 'a' }, matchConstraints: { resourceRules: [] }, validations: [{ expression: 'true' }] },
    },
    errors: [
      'spec.paramKind.apiVersion: Invalid value: "/": version must be specified',
      'spec.matchConstraints.resourceRules: Required value',
    ],
  },
  {
    name: 'takes what is complete',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: { policyName: 'x', validationActions: ['Deny'] },
    },
  },
  {
    name: 'fills in spec.matchResources.namespaceSelector, spec.matchResources.objectSelector and 2 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: {
        policyName: 'x',
        validationActions: ['Deny', 'Audit'],
        paramRef: { name: 'a', parameterNotFoundAction: 'Deny' },
        matchResources: { resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] },
      },
    },
    has: {
      'spec.matchResources.namespaceSelector': {},
      'spec.matchResources.objectSelector': {},
      'spec.matchResources.resourceRules[0].scope': '*',
      'spec.matchResources.matchPolicy': 'Equivalent',
    },
  },
  {
    name: 'refuses spec.policyName and 7 more',
    given: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      spec: {
        policyName: 'a b',
        validationActions: ['Deny', 'Warn', 'Warn', 'Foo'],
        paramRef: { name: 'a/b', selector: { matchLabels: { 'a b': 'c' } }, parameterNotFoundAction: 'Foo' },
        matchResources: {},
      },
    },
    errors: [
      "spec.policyName: Invalid value: \"a b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      'spec.paramRef.name: Invalid value: "a/b": may not contain \'/\'',
      'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
      "spec.paramRef.selector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "Foo": supported values: "Deny", "Allow"',
      'spec.validationActions[2]: Duplicate value: "Warn"',
      'spec.validationActions[3]: Unsupported value: "Foo": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Warn","Foo"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
  },
  {
    name: 'refuses spec.policyName and 3 more',
    given: { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', spec: { paramRef: {} } },
    errors: [
      'spec.policyName: Required value',
      'spec.paramRef: Required value: one of name or selector must be specified',
      'spec.paramRef.parameterNotFoundAction: Required value',
      'spec.validationActions: Required value: at least one validation action is required',
    ],
  },
]);
