/** PodDisruptionBudget. Upstream: pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation. */
import { PodDisruptionBudget } from '../../generated/kinds.ts';
import type { IntOrString } from '../../meta/intstr.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkNonnegative, checkSelector, checkSupported, type Errors } from '../checks.ts';
import { checkConditions } from '../condition-checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkAtMostAll, checkIntOrPercent } from '../rolling-checks.ts';

const noStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const podDisruptionBudget = defineKind(PodDisruptionBudget, {
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: noStatus }),
    validate,
    validateStatus,
    cells: nameAndAge(({ spec, status }) => [
      amountText(spec.minAvailable),
      amountText(spec.maxUnavailable),
      status.disruptionsAllowed ?? 0,
    ]),
  },
});

const amountText = (amount: IntOrString | undefined): string => (amount === undefined ? 'N/A' : String(amount));

function validate({ spec }: PodDisruptionBudget): readonly FieldError[] {
  const errors: Errors = [];
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
    };
    errors.push(fieldErrors.invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    checkIntOrPercent(errors, `spec.${field}`, spec[field]);
    checkAtMostAll(errors, `spec.${field}`, spec[field]);
  }
  checkSelector(errors, 'spec.selector', selector);
  checkSupported(errors, 'spec.unhealthyPodEvictionPolicy', unhealthyPodEvictionPolicy, ['AlwaysAllow', 'IfHealthyBudget']);
  return errors;
}

function validateStatus({ status }: PodDisruptionBudget): readonly FieldError[] {
  const errors: Errors = [];
  checkConditions(errors, 'status.conditions', status.conditions);
  for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
    checkNonnegative(errors, `status.${field}`, status[field]);
  }
  return errors;
}
