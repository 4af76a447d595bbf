/** PodDisruptionBudget: what is filled in, and what is refused. */
import { testCells, testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in status.disruptionsAllowed, status.currentHealthy and 2 more',
    given: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } } },
    has: { 'status.disruptionsAllowed': 0, 'status.currentHealthy': 0, 'status.desiredHealthy': 0, 'status.expectedPods': 0 },
  },
  {
    name: 'fills in status.disruptionsAllowed, status.currentHealthy and 2 more (2)',
    given: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: {} },
    has: { 'status.disruptionsAllowed': 0, 'status.currentHealthy': 0, 'status.desiredHealthy': 0, 'status.expectedPods': 0 },
  },
  {
    name: 'refuses spec and 4 more',
    given: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      spec: { minAvailable: -1, maxUnavailable: '101%', selector: { matchLabels: { 'a b': 'b' } }, unhealthyPodEvictionPolicy: 'Foo' },
    },
    errors: [
      'spec: Invalid value: {"MinAvailable":-1,"Selector":{"matchLabels":{"a b":"b"}},"MaxUnavailable":"101%","UnhealthyPodEvictionPolicy":"Foo"}: minAvailable and maxUnavailable cannot be both set',
      'spec.minAvailable: Invalid value: -1: must be greater than or equal to 0',
      'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      "spec.selector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Foo": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  },
  {
    name: 'refuses spec.maxUnavailable',
    given: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: { maxUnavailable: 'abc' } },
    errors: [
      "spec.maxUnavailable: Invalid value: \"abc\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  },
]);

testUpdates({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } } }, [
  { name: 'update: takes spec.minAvailable', change: { spec: { minAvailable: 2 } } },
  {
    name: 'status: refuses status.conditions[0].type and 5 more',
    change: {
      status: {
        disruptionsAllowed: -1,
        conditions: [
          { type: 'a b', status: 'Foo' },
          { type: 'X', status: 'True', reason: '1', lastTransitionTime: '2020-01-01T00:00:00Z' },
        ],
      },
    },
    subresource: 'status',
    errors: [
      "status.conditions[0].type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'status.conditions[0].status: Unsupported value: "Foo": supported values: "False", "True", "Unknown"',
      'status.conditions[0].lastTransitionTime: Required value',
      'status.conditions[0].reason: Required value',
      "status.conditions[1].reason: Invalid value: \"1\": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
    ],
  },
]);

testCells([
  {
    name: 'shows 50%, N/A, 3',
    object: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      spec: { minAvailable: '50%', selector: { matchLabels: { a: 'b' } } },
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { disruptionsAllowed: 3, currentHealthy: 1, desiredHealthy: 2, expectedPods: 3 },
    },
    cells: ['x', '50%', 'N/A', 3, '27h'],
  },
]);
