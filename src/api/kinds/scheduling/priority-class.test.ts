/** PriorityClass: what is filled in, and what is refused. */
import { testCreates, testUpdates } from '../cases.test.ts';

testCreates([
  {
    name: 'fills in preemptionPolicy',
    given: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 100 },
    has: { preemptionPolicy: 'PreemptLowerPriority' },
  },
  {
    name: 'refuses value and 1 more',
    given: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 2000000000, preemptionPolicy: 'Foo' },
    errors: [
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      'preemptionPolicy: Unsupported value: "Foo": supported values: "PreemptLowerPriority", "Never"',
    ],
  },
  {
    name: 'refuses metadata.name',
    given: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'system-foo' }, value: 2000000000 },
    errors: [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-foo is not a known system priority class",
    ],
  },
  {
    name: 'fills in preemptionPolicy (2)',
    given: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 5, globalDefault: true, description: 'x' },
    has: { preemptionPolicy: 'PreemptLowerPriority' },
  },
]);

testUpdates({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 5 }, [
  { name: 'update: refuses value', change: { value: 6 }, errors: ['value: Forbidden: may not be changed in an update.'] },
  {
    name: 'update: refuses preemptionPolicy',
    change: { preemptionPolicy: 'Never' },
    errors: ['preemptionPolicy: Invalid value: "Never": field is immutable'],
  },
  { name: 'update: takes description', change: { description: 'x' } },
]);
