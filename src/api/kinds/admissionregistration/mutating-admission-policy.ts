/** MutatingAdmissionPolicy and its binding, in all versions. Upstream: pkg/apis/admissionregistration/validation/validation.go. */

import { JSON_PATCH, OBJECT } from '../../cel/admission/environment.ts';
import * as t from '../../cel/types.ts';
import type {
  MutatingAdmissionPolicyBindingSpec,
  MutatingAdmissionPolicySpec,
  Mutation,
} from '../../generated/admissionregistration-v1.ts';
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingAdmissionPolicyBindingV1alpha1,
  MutatingAdmissionPolicyBindingV1beta1,
  MutatingAdmissionPolicyV1alpha1,
  MutatingAdmissionPolicyV1beta1,
} from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { own } from '../../meta/words.ts';
import { all, each, fields, knowing, oneOf, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { PolicyExpressions } from './expression-checks.ts';
import { bindingRule, expressionsOf, type PolicyKnown, paramKindText, paramRefText, policyRule } from './policy-checks.ts';
import { mutatingOperations } from './rule-checks.ts';

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;

const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;
const patchType = required(oneOf(...Object.keys(patchFields)));
const patchRules = {
  applyConfiguration: required<string>((text, walk) => expressionsOf(walk).expression(walk, text, OBJECT)),
  jsonPatch: required<string>((text, walk) => expressionsOf(walk).expression(walk, text, t.listOf(JSON_PATCH))),
};

const mutation: Rule<Mutation> = (given, walk) => {
  const type = given.patchType;
  walk.check('patchType', type ?? '', patchType);
  const field = own(patchFields, type);
  if (!field) return;
  const patch = given[field];
  if (patch) walk.check(`${field}.expression`, patch.expression?.trim() ?? '', patchRules[field]);
  else walk.required(field, `must be specified when patchType is ${type}`);
  const other = field === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch';
  if (given[other]) walk.invalid(other, `{${other}}`, `must not be specified when patchType is ${type}`);
};

const policySpec = all<MutatingAdmissionPolicySpec>(
  policyRule,
  fields({
    matchConstraints: mutatingOperations,
    mutations: required(each(mutation), 'mutations must contain at least one item'),
    reinvocationPolicy: required(oneOf('IfNeeded', 'Never')),
  }),
);
const knownOf = ({ spec, metadata: { name } }: Policy): PolicyKnown => ({
  name,
  expressions: new PolicyExpressions({ params: spec.paramKind !== undefined, variables: true, patchTypes: true }),
});

const policyHooks: KindHooks<Policy> = {
  rules: knowing(knownOf, fields({ spec: policySpec })),
  cells: nameAndAge(({ spec }) => [listOf(spec.mutations).length, paramKindText(spec.paramKind)]),
};

const bindingHooks: KindHooks<Binding> = {
  rules: fields({ spec: all<MutatingAdmissionPolicyBindingSpec>(bindingRule, fields({ matchResources: mutatingOperations })) }),
  cells: nameAndAge(({ spec }) => [spec.policyName ?? '', paramRefText(spec.paramRef)]),
};

const traits = { hashedVersion: 'v1beta1', hasGeneration: true, allowUnconditionalUpdate: false };

export const [mutatingAdmissionPolicy, mutatingAdmissionPolicyV1beta1, mutatingAdmissionPolicyV1alpha1] = defineVersions(
  [MutatingAdmissionPolicy, MutatingAdmissionPolicyV1beta1, MutatingAdmissionPolicyV1alpha1],
  { ...traits, hooks: policyHooks },
);

export const [mutatingAdmissionPolicyBinding, mutatingAdmissionPolicyBindingV1beta1, mutatingAdmissionPolicyBindingV1alpha1] =
  defineVersions([MutatingAdmissionPolicyBinding, MutatingAdmissionPolicyBindingV1beta1, MutatingAdmissionPolicyBindingV1alpha1], {
    ...traits,
    hooks: bindingHooks,
  });
