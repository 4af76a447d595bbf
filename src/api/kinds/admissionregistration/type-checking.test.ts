/** Warnings about expressions by the types of what they are about, as upstream tells them. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ValidatingAdmissionPolicySpec } from '../../generated/admissionregistration-v1.ts';
import { takeSteps } from '../../meta/steps.ts';
import { builtInRegistry } from '../all.ts';
import { checkTypes } from './type-checking.ts';

const served = builtInRegistry().current;
const about = (group: string, version: string, ...resources: string[]) => ({
  resourceRules: [{ operations: ['CREATE' as const], apiGroups: [group], apiVersions: [version], resources }],
});
const deployments = about('apps', 'v1', 'deployments');
const warnings = (spec: ValidatingAdmissionPolicySpec) => takeSteps(checkTypes(spec, served));

const right = [
  'object.spec.replicas > 1',
  'object.metadata.namespace == "x"',
  'object.metadata.labels["a"] == "x"',
  'object.metadata.creationTimestamp > timestamp("2020-01-01T00:00:00Z")',
  'object.spec.strategy.rollingUpdate.maxSurge == 1',
  'object.spec.template.spec.containers.all(c, c.image == "a")',
  'dyn(object).foo == 1',
  'authorizer.group("").resource("x").check("get").allowed()',
];
const wrong = [
  { expression: 'object.foo == 1', why: "1:7: undefined field 'foo'\n | object.foo == 1\n | ......^" },
  { expression: 'object.spec.replicas > "1"', why: "1:22: found no matching overload for '_>_' applied to '(int, string)'" },
  { expression: 'object.spec.template.spec.containers.all(c, c.foo == 1)', why: "undefined field 'foo'" },
  { expression: 'object.spec.template.spec.containers[0].resources.limits == null', why: "undefined field 'limits'" },
  { expression: 'object.metadata.managedFields[0].fieldsV1.x == 1', why: "undefined field 'x'" },
  { expression: 'object.metadata.creationTimestamp == "x"', why: "applied to '(timestamp, string)'" },
  {
    expression: 'authorizer.requestResource.check("get").allowed()',
    why: '\n | authorizer.requestResource.check("get").allowed()\n | ..........^',
  },
];

suite('types of expressions', () => {
  for (const expression of right) {
    test(`nothing is said of ${expression}`, () => {
      assert.deepEqual(warnings({ matchConstraints: deployments, validations: [{ expression }] }), []);
    });
  }
  for (const { expression, why } of wrong) {
    test(`warns of ${expression}`, () => {
      const [first, ...more] = warnings({ matchConstraints: deployments, validations: [{ expression }] });
      assert.deepEqual([first?.fieldRef, more], ['spec.validations[0].expression', []]);
      const { warning = '' } = first ?? {};
      assert.ok(
        warning.startsWith('apps/v1, Kind=Deployment: ERROR: <input>:') && warning.includes(why) && warning.endsWith('^\n'),
        warning,
      );
    });
  }

  test('each of several types is told, in their order, and messages too', () => {
    const validations = [{ expression: 'true', messageExpression: 'object.foo' }];
    const told = warnings({ matchConstraints: about('', 'v1', 'events'), validations }).map(({ fieldRef, warning }) => [
      fieldRef,
      warning.match(/^\S+, Kind=\S+: /gm),
    ]);
    assert.deepEqual(told, [['spec.validations[0].messageExpression', ['/v1, Kind=Event: ', 'events.k8s.io/v1, Kind=Event: ']]]);
  });

  test('no more than ten types of a rule are looked at', () => {
    const names =
      'pods services secrets configmaps endpoints nodes namespaces persistentvolumes persistentvolumeclaims serviceaccounts podtemplates';
    const [told] = warnings({ matchConstraints: about('', 'v1', ...names.split(' ')), validations: [{ expression: 'object.foo == 1' }] });
    assert.equal(told?.warning.match(/, Kind=/g)?.length, 10);
  });

  test('wildcards, subresources and what is not served are not looked at', () => {
    const validations = [{ expression: 'object.foo == 1' }];
    for (const matchConstraints of [
      about('*', 'v1', 'deployments'),
      about('apps', 'v1', '*', 'deployments/scale'),
      about('no', 'v1', 'no'),
    ])
      assert.deepEqual(warnings({ matchConstraints, validations }), []);
  });

  test('variables have the types of their expressions, parameters those of their kind', () => {
    const variables = [{ name: 'n', expression: 'object.spec.replicas' }];
    const spec = { matchConstraints: deployments, variables, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } };
    const told = warnings({ ...spec, validations: [{ expression: 'variables.n == "x"' }, { expression: 'params.foo == 1' }] });
    assert.deepEqual(
      told.map(({ warning }) => /ERROR: \S+ (.*)/.exec(warning)?.[1]),
      ["found no matching overload for '_==_' applied to '(int, string)'", "undefined field 'foo'"],
    );
    assert.deepEqual(
      warnings({ ...spec, paramKind: { apiVersion: 'v1', kind: 'Nope' }, validations: [{ expression: 'params.foo == 1' }] }),
      [],
    );
  });
});
