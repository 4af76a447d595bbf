/** ValidatingAdmissionPolicy and its binding. Upstream: pkg/apis/admissionregistration/validation/validation.go. */

import * as t from '../../cel/types.ts';
import type { AuditAnnotation, Validation } from '../../generated/admissionregistration-v1.ts';
import { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../generated/kinds.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkPresent, checkSupported, type Errors, repeats } from '../checks.ts';
import { checkConditions } from '../condition-checks.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { PolicyExpressions } from './expression-checks.ts';
import { checkBinding, checkPolicy, paramKindText, paramRefText } from './policy-checks.ts';

const annotationsMax = 20;
const expressionMax = 5 * 1024;
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const actions = ['Audit', 'Deny', 'Warn'];

export const validatingAdmissionPolicy = defineKind(ValidatingAdmissionPolicy, {
  resetFields: statusAlone,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    prepareForStatusUpdate: keepMetadata,
    validate,
    validateStatus,
    cells: nameAndAge(({ spec }) => [listOf(spec.validations).length, paramKindText(spec.paramKind)]),
  },
});

export const validatingAdmissionPolicyBinding = defineKind(ValidatingAdmissionPolicyBinding, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    validate: ({ spec }) => {
      const errors: Errors = [];
      checkBinding(errors, spec);
      checkActions(errors, 'spec.validationActions', listOf(spec.validationActions));
      return errors;
    },
    cells: nameAndAge(({ spec }) => [spec.policyName ?? '', paramRefText(spec.paramRef)]),
  },
});

function validate({ spec, metadata }: ValidatingAdmissionPolicy): readonly FieldError[] {
  const errors: Errors = [];
  const expressions = new PolicyExpressions(errors, { params: spec.paramKind !== undefined, variables: listOf(spec.variables).length > 0 });
  checkPolicy(errors, spec, expressions);
  const [validations, annotations] = [listOf(spec.validations), listOf(spec.auditAnnotations)];
  if (!validations.length && !annotations.length) {
    const message = 'validations or auditAnnotations must contain at least one item';
    errors.push(fieldErrors.required('spec.validations', message), fieldErrors.required('spec.auditAnnotations', message));
  }
  validations.forEach((validation, i) => {
    checkValidation(errors, `spec.validations[${i}]`, validation, expressions);
  });
  checkAnnotations(errors, { annotations, name: metadata.name, expressions });
  return errors;
}

function checkValidation(errors: Errors, path: string, validation: Validation, expressions: PolicyExpressions): void {
  const { expression, message, messageExpression, reason } = validation;
  const empty = 'must be non-empty if specified';
  if (checkPresent(errors, `${path}.expression`, expression?.trim(), 'expression is not specified'))
    expressions.expression(`${path}.expression`, expression, t.BOOL);
  if (messageExpression && !messageExpression.trim()) {
    errors.push(fieldErrors.invalid(`${path}.messageExpression`, messageExpression, empty));
  } else if (messageExpression) expressions.message(`${path}.messageExpression`, messageExpression);
  if (message && !message.trim()) errors.push(fieldErrors.invalid(`${path}.message`, message, empty));
  else if (message && /[\n\r]/.test(message.trim())) {
    errors.push(fieldErrors.invalid(`${path}.message`, message, 'must not contain line breaks'));
  }
  checkSupported(errors, `${path}.reason`, reason, reasons);
}

interface Annotations {
  readonly annotations: readonly AuditAnnotation[];
  /** the policy's */
  readonly name: string;
  readonly expressions: PolicyExpressions;
}

function checkAnnotations(errors: Errors, { annotations, name, expressions }: Annotations): void {
  const path = 'spec.auditAnnotations';
  if (annotations.length > annotationsMax) {
    const shown = annotations.map(({ key, valueExpression }) => ({ Key: key, ValueExpression: valueExpression }));
    errors.push(fieldErrors.invalid(path, shown, `must not have more than ${annotationsMax} auditAnnotations`));
  }
  const keys = new Set<string>();
  annotations.forEach(({ key, valueExpression }, i) => {
    const at = `${path}[${i}]`;
    const qualified = `${name}/${key}`;
    addInvalid(errors, `${at}.key`, qualified, checkQualifiedName(qualified));
    const text = valueExpression?.trim() ?? '';
    if (checkPresent(errors, `${at}.valueExpression`, text, 'valueExpression is not specified')) {
      if (text.length > expressionMax)
        errors.push(fieldErrors.required(`${at}.valueExpression`, `must not exceed ${expressionMax} bytes in length`));
      else expressions.expression(`${at}.valueExpression`, valueExpression ?? '', t.STRING, t.NULL);
    }
    if (keys.has(key)) errors.push(fieldErrors.duplicate(`${at}.key`, key));
    keys.add(key);
  });
}

function checkActions(errors: Errors, path: string, given: readonly string[]): void {
  const isRepeated = repeats<string>();
  given.forEach((action, i) => {
    checkSupported(errors, `${path}[${i}]`, action, actions);
    if (isRepeated(action)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, action));
  });
  if (given.includes('Deny') && given.includes('Warn')) {
    const message =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(fieldErrors.invalid(path, given, message));
  }
  if (!given.length) errors.push(fieldErrors.required(path, 'at least one validation action is required'));
}

function validateStatus({ status }: ValidatingAdmissionPolicy): readonly FieldError[] {
  const errors: Errors = [];
  listOf(status.typeChecking?.expressionWarnings).forEach(({ warning, fieldRef }, i) => {
    const path = `status.typeChecking.expressionWarnings[${i}]`;
    checkPresent(errors, `${path}.warning`, warning);
    checkPresent(errors, `${path}.fieldRef`, fieldRef?.trim());
  });
  checkConditions(errors, 'status.conditions', status.conditions);
  return errors;
}
