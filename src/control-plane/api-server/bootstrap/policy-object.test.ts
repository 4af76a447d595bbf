import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedMeta } from '../../../../test/kit/test-request.ts';
import type { ClusterRole, ClusterRoleBinding, FlowSchema } from '../../../api/generated/kinds.ts';
import type { PolicyRule, Subject } from '../../../api/generated/rbac-v1.ts';
import { planBinding, planFlowControl, planRole } from './policy-object.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const role = (rules: PolicyRule[], more: Partial<ClusterRole['metadata']> = {}): ClusterRole => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { ...storedMeta, name: 'r', ...more },
  rules,
});
const pods: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] };
const binding = (roleName: string, names: string[], more: Partial<ClusterRole['metadata']> = {}): ClusterRoleBinding => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { ...storedMeta, name: 'b', ...more },
  roleRef: { kind: 'ClusterRole', name: roleName },
  subjects: names.map((name): Subject => ({ kind: 'User', name })),
});
const off = { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } };
const labelled = { labels: { a: 'b' } };

const table: readonly { name: string; given: () => { do: string; object?: unknown }; want: unknown }[] = [
  { name: 'a role that is missing', given: () => planRole(undefined, role([pods])), want: { do: 'create', object: role([pods]) } },
  { name: 'a role that is as it should be', given: () => planRole(role([pods]), role([pods])), want: { do: 'nothing' } },
  {
    name: 'a role that has more, said differently',
    given: () => planRole(role([{ ...pods, verbs: ['*'] }]), role([pods])),
    want: { do: 'nothing' },
  },
  {
    name: 'a role that lacks a verb',
    given: () => planRole(role([{ ...pods, verbs: ['get'] }]), role([pods])),
    want: {
      do: 'update',
      object: role([
        { ...pods, verbs: ['get'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      ]),
    },
  },
  {
    name: 'a role that lacks a label',
    given: () => planRole(role([pods]), role([pods], labelled)),
    want: { do: 'update', object: role([pods], { ...labelled, annotations: {} }) },
  },
  { name: 'a role that is protected', given: () => planRole(role([], off), role([pods])), want: { do: 'nothing' } },
  {
    name: 'a binding that lacks a subject',
    given: () => planBinding(binding('r', ['a']), binding('r', ['b'])),
    want: { do: 'update', object: binding('r', ['a', 'b']) },
  },
  {
    name: 'a binding to another role',
    given: () => planBinding(binding('x', ['a']), binding('r', ['b'])),
    want: { do: 'replace', object: binding('r', ['a', 'b']) },
  },
  { name: 'a binding that is protected', given: () => planBinding(binding('x', [], off), binding('r', ['b'])), want: { do: 'nothing' } },
];
for (const { name, given, want } of table) test(`bootstrap plans ${name}`, () => assert.deepEqual(given(), want));

test('bootstrap follows flow schemas as long as they say so', () => {
  const schema = (matchingPrecedence: number, autoUpdate: string): FlowSchema => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { ...storedMeta, name: 'f', annotations: { 'apf.kubernetes.io/autoupdate-spec': autoUpdate } },
    spec: { matchingPrecedence, priorityLevelConfiguration: { name: 'x' } },
    status: {},
  });
  assert.equal(planFlowControl(schema(1, 'true'), schema(1, 'true')).do, 'nothing');
  assert.equal(planFlowControl(schema(1, 'true'), schema(2, 'true')).do, 'update');
  assert.equal(planFlowControl(schema(1, 'false'), schema(2, 'true')).do, 'nothing');
});
