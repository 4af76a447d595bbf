/** MutatingAdmissionPolicy and its binding, in all versions. Upstream: pkg/apis/admissionregistration/validation/validation.go. */

import { JSON_PATCH, OBJECT } from '../../cel/admission/environment.ts';
import * as t from '../../cel/types.ts';
import type { Mutation } from '../../generated/admissionregistration-v1.ts';
import {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingAdmissionPolicyBindingV1alpha1,
  MutatingAdmissionPolicyBindingV1beta1,
  MutatingAdmissionPolicyV1alpha1,
  MutatingAdmissionPolicyV1beta1,
} from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkOneOf, checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { PolicyExpressions } from './expression-checks.ts';
import { checkBinding, checkPolicy, paramKindText, paramRefText } from './policy-checks.ts';
import { checkMutatingOperations } from './rule-checks.ts';

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;

const policyHooks: KindHooks<Policy> = {
  validate: validatePolicy,
  cells: nameAndAge(({ spec }) => [listOf(spec.mutations).length, paramKindText(spec.paramKind)]),
};

const bindingHooks: KindHooks<Binding> = {
  validate({ spec }) {
    const errors: Errors = [];
    checkBinding(errors, spec);
    if (spec.matchResources) checkMutatingOperations(errors, 'spec.matchResources', spec.matchResources);
    return errors;
  },
  cells: nameAndAge(({ spec }) => [spec.policyName ?? '', paramRefText(spec.paramRef)]),
};

const policyTraits = { hashedVersion: 'v1beta1', hasGeneration: true, allowUnconditionalUpdate: false };

export const mutatingAdmissionPolicy = defineKind<Policy>(MutatingAdmissionPolicy, { ...policyTraits, hooks: policyHooks });
export const mutatingAdmissionPolicyV1beta1 = defineKind<Policy>(MutatingAdmissionPolicyV1beta1 as KindRef as KindRef<Policy>, {
  ...policyTraits,
  hooks: policyHooks,
});
export const mutatingAdmissionPolicyV1alpha1 = defineKind<Policy>(MutatingAdmissionPolicyV1alpha1 as KindRef as KindRef<Policy>, {
  ...policyTraits,
  hooks: policyHooks,
});
const bindingTraits = { hashedVersion: 'v1beta1', hasGeneration: true, allowUnconditionalUpdate: false };

export const mutatingAdmissionPolicyBinding = defineKind<Binding>(MutatingAdmissionPolicyBinding, {
  ...bindingTraits,
  hooks: bindingHooks,
});
export const mutatingAdmissionPolicyBindingV1beta1 = defineKind<Binding>(
  MutatingAdmissionPolicyBindingV1beta1 as KindRef as KindRef<Binding>,
  { ...bindingTraits, hooks: bindingHooks },
);
export const mutatingAdmissionPolicyBindingV1alpha1 = defineKind<Binding>(
  MutatingAdmissionPolicyBindingV1alpha1 as KindRef as KindRef<Binding>,
  { ...bindingTraits, hooks: bindingHooks },
);

function validatePolicy({ spec }: Policy): readonly FieldError[] {
  const errors: Errors = [];
  const expressions = new PolicyExpressions(errors, { params: spec.paramKind !== undefined, variables: true, patchTypes: true });
  checkPolicy(errors, spec, expressions);
  if (spec.matchConstraints) checkMutatingOperations(errors, 'spec.matchConstraints', spec.matchConstraints);
  const mutations = listOf(spec.mutations);
  if (!mutations.length) errors.push(fieldErrors.required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation, i) => {
    checkMutation(errors, `spec.mutations[${i}]`, mutation, expressions);
  });
  checkOneOf(errors, 'spec.reinvocationPolicy', spec.reinvocationPolicy, { of: ['IfNeeded', 'Never'] });
  return errors;
}

const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const;

function checkMutation(errors: Errors, path: string, mutation: Mutation, expressions: PolicyExpressions): void {
  const { patchType } = mutation;
  checkOneOf(errors, `${path}.patchType`, patchType, { of: ['ApplyConfiguration', 'JSONPatch'] });
  const own = patchFields[patchType];
  if (!own) return;
  const patch = mutation[own];
  if (patch) {
    const text = patch.expression?.trim() ?? '';
    const type = own === 'jsonPatch' ? t.listOf(JSON_PATCH) : OBJECT;
    if (checkPresent(errors, `${path}.${own}.expression`, text)) expressions.expression(`${path}.${own}.expression`, text, type);
  } else errors.push(fieldErrors.required(`${path}.${own}`, `must be specified when patchType is ${patchType}`));
  const other = own === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch';
  if (mutation[other]) {
    errors.push(fieldErrors.invalid(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
  }
}
