/** FlowSchema: which requests belong to which priority level. Upstream: pkg/apis/flowcontrol/validation/validation.go. */

import type { FlowSchemaSpec, PolicyRulesWithSubjects } from '../../generated/flowcontrol-v1.ts';
import { FlowSchema } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { ageOf } from '../cells.ts';
import { checkDnsSubdomain, checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { checkFlowSubject } from './flow-subject.ts';
import { mandatorySchemas } from './mandatory.ts';
import { checkNonResourceRule, checkResourceRule } from './policy-rule.ts';
import { checkFlowConditions } from './status.ts';

const precedenceMax = 10_000;
const methods = ['ByNamespace', 'ByUser'];

export const flowSchema = defineKind(FlowSchema, {
  hasGeneration: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    validate,
    validateStatus: ({ status }) => checkFlowConditions(status.conditions),
    cells: (object, at) => {
      const { metadata, spec, status } = object;
      return [
        metadata.name,
        spec.priorityLevelConfiguration.name,
        spec.matchingPrecedence ?? 0,
        spec.distinguisherMethod?.type ?? '<none>',
        ageOf(object, at),
        listOf(status.conditions).find(({ type }) => type === 'Dangling')?.status ?? '?',
      ];
    },
  },
});

function validate({ spec, metadata }: FlowSchema): readonly FieldError[] {
  const errors: Errors = [];
  checkPrecedence(errors, spec, metadata.name);
  const method = spec.distinguisherMethod;
  if (method && !methods.includes(method.type)) {
    errors.push(fieldErrors.notSupported('spec.distinguisherMethod.type', { Type: method.type ?? '' }, methods));
  }
  const path = 'spec.priorityLevelConfiguration.name';
  const { name } = spec.priorityLevelConfiguration ?? {};
  if (checkPresent(errors, path, name, 'must reference a priority level')) checkDnsSubdomain(errors, path, name);
  listOf(spec.rules).forEach((rule, i) => {
    checkRule(errors, `spec.rules[${i}]`, rule);
  });
  const fixed = own(mandatorySchemas, metadata.name);
  if (fixed && !equalSemantically(spec, fixed)) {
    errors.push(fieldErrors.invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`));
  }
  return errors;
}

function checkPrecedence(errors: Errors, { matchingPrecedence: precedence = 0 }: FlowSchemaSpec, name: string): void {
  const add = (message: string): void => void errors.push(fieldErrors.invalid('spec.matchingPrecedence', precedence, message));
  if (precedence <= 0) add('must be a positive value');
  if (precedence > precedenceMax) add(`must not be greater than ${precedenceMax}`);
  if (precedence === 1 && name !== 'exempt') add("only the schema named 'exempt' may have matchingPrecedence 1");
}

function checkRule(errors: Errors, path: string, rule: PolicyRulesWithSubjects): void {
  const [subjects, resources, urls] = [listOf(rule.subjects), listOf(rule.resourceRules), listOf(rule.nonResourceRules)];
  if (!subjects.length) errors.push(fieldErrors.required(`${path}.subjects`, 'subjects must contain at least one value'));
  subjects.forEach((subject, i) => {
    checkFlowSubject(errors, `${path}.subjects[${i}]`, subject);
  });
  if (!resources.length && !urls.length) {
    errors.push(fieldErrors.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  resources.forEach((resource, i) => {
    checkResourceRule(errors, `${path}.resourceRules[${i}]`, resource);
  });
  urls.forEach((url, i) => {
    checkNonResourceRule(errors, `${path}.nonResourceRules[${i}]`, url);
  });
}
