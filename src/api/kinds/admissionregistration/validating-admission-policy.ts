/** ValidatingAdmissionPolicy and its binding. Upstream: pkg/apis/admissionregistration/validation/validation.go. */

import * as t from '../../cel/types.ts';
import type {
  AuditAnnotation,
  ExpressionWarning,
  TypeChecking,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
  ValidatingAdmissionPolicyStatus,
  Validation,
} from '../../generated/admissionregistration-v1.ts';
import { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../generated/kinds.ts';
import { all, countedAs, each, fields, knowing, oneOf, refuse, required, uniqueBy } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { conditions } from '../condition-checks.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { qualifiedName } from '../shared-rules.ts';
import { notBlank, PolicyExpressions } from './expression-checks.ts';
import { bindingRule, expressionsOf, type PolicyKnown, paramKindText, paramRefText, policyRule } from './policy-checks.ts';

const annotationsMax = 20;
const expressionMax = 5 * 1024;

const notBlankIfThere: Rule<string> = refuse((text) => text !== '' && !text.trim(), 'must be non-empty if specified');
const validation = fields<Validation>({
  expression: notBlank((text, walk) => expressionsOf(walk).expression(walk, text, t.BOOL), 'expression is not specified'),
  messageExpression: all<string>(notBlankIfThere, (text, walk) => {
    if (text.trim()) expressionsOf(walk).message(walk, text);
  }),
  message: all<string>(
    notBlankIfThere,
    refuse((text) => /[\n\r]/.test(text.trim()), 'must not contain line breaks'),
  ),
  reason: oneOf('Forbidden', 'Invalid', 'RequestEntityTooLarge'),
});

const auditValue = notBlank((text, walk) => {
  if (text.trim().length > expressionMax) walk.required('', `must not exceed ${expressionMax} bytes in length`);
  else expressionsOf(walk).expression(walk, text, t.STRING, t.NULL);
}, 'valueExpression is not specified');
const auditAnnotations = all<readonly AuditAnnotation[]>(
  (annotations, walk) => {
    if (annotations.length <= annotationsMax) return;
    const shown = annotations.map(({ key, valueExpression }) => ({ Key: key, ValueExpression: valueExpression }));
    walk.invalid('', shown, `must not have more than ${annotationsMax} auditAnnotations`);
  },
  uniqueBy(({ key }) => key, {
    at: 'key',
    rule: ({ key, valueExpression = '' }, walk) => {
      walk.check('key', `${(walk.about as PolicyKnown).name}/${key}`, qualifiedName);
      walk.check('valueExpression', valueExpression, auditValue);
    },
  }),
);

const spec = all<ValidatingAdmissionPolicySpec>(
  policyRule,
  (given, walk) => {
    if (given.validations?.length || given.auditAnnotations?.length) return;
    const message = 'validations or auditAnnotations must contain at least one item';
    walk.required('validations', message);
    walk.required('auditAnnotations', message);
  },
  fields({ validations: each(validation), auditAnnotations }),
);

const status = fields<ValidatingAdmissionPolicyStatus>({
  typeChecking: fields<TypeChecking>({
    expressionWarnings: each(fields<ExpressionWarning>({ warning: required(), fieldRef: notBlank() })),
  }),
  conditions,
});

const actions = countedAs<readonly string[]>(
  [],
  all(
    uniqueBy<string>((action) => action, { rule: oneOf('Audit', 'Deny', 'Warn') }),
    refuse(
      (given) => given.includes('Deny') && given.includes('Warn'),
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ),
    required(undefined, 'at least one validation action is required'),
  ),
);

/** What is known of a policy while its expressions are judged. */
const knownOf = ({ spec: { paramKind, variables }, metadata: { name } }: ValidatingAdmissionPolicy): PolicyKnown => ({
  name,
  expressions: new PolicyExpressions({ params: paramKind !== undefined, variables: listOf(variables).length > 0 }),
});

export const validatingAdmissionPolicy = defineKind(ValidatingAdmissionPolicy, {
  resetFields: statusAlone,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForStatusUpdate: keepMetadata,
    rules: knowing(knownOf, fields({ spec })),
    statusRules: fields({ status }),
    cells: nameAndAge((object) => [listOf(object.spec.validations).length, paramKindText(object.spec.paramKind)]),
  },
});

export const validatingAdmissionPolicyBinding = defineKind(ValidatingAdmissionPolicyBinding, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    rules: fields({ spec: all<ValidatingAdmissionPolicyBindingSpec>(bindingRule, fields({ validationActions: actions })) }),
    cells: nameAndAge((object) => [object.spec.policyName ?? '', paramRefText(object.spec.paramRef)]),
  },
});
