/** Checks of conditions of the common form. Upstream: apimachinery/pkg/apis/meta/v1/validation/validation.go. */
import type { Condition } from '../generated/meta-v1.ts';
import { regexMessage } from '../meta/names.ts';
import { fieldErrors } from '../meta/status-error.ts';
import { checkLabelKey, type Errors } from './checks.ts';
import { listOf } from './lists.ts';

const statuses = ['False', 'True', 'Unknown'];
const reasonMax = 1024;
const messageMax = 32 * 1024;
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonMessage = regexMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', " +
    "and must end with an alphanumeric character or '_'",
  reasonFormat,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
);

export function checkConditions(errors: Errors, path: string, conditions: readonly Condition[] | undefined): void {
  const types = new Set<string>();
  listOf(conditions).forEach((condition, i) => {
    const at = `${path}[${i}]`;
    if (types.has(condition.type)) errors.push(fieldErrors.duplicate(`${at}.type`, condition.type));
    types.add(condition.type);
    checkCondition(errors, at, condition);
  });
}

function checkCondition(errors: Errors, path: string, condition: Condition): void {
  const { type, status, observedGeneration, lastTransitionTime, reason, message } = condition;
  checkLabelKey(errors, `${path}.type`, type);
  if (!statuses.includes(status)) errors.push(fieldErrors.notSupported(`${path}.status`, status ?? '', statuses));
  if (observedGeneration !== undefined && observedGeneration < 0) {
    errors.push(fieldErrors.invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
  }
  if (!lastTransitionTime) errors.push(fieldErrors.required(`${path}.lastTransitionTime`));
  if (!reason) errors.push(fieldErrors.required(`${path}.reason`));
  else {
    if (!reasonPattern.test(reason)) errors.push(fieldErrors.invalid(`${path}.reason`, reason, reasonMessage));
    if (reason.length > reasonMax) errors.push(fieldErrors.tooLong(`${path}.reason`, reasonMax));
  }
  if ((message?.length ?? 0) > messageMax) errors.push(fieldErrors.tooLong(`${path}.message`, messageMax));
}
