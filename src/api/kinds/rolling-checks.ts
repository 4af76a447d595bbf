/** Checks of what is a number or a percentage: how many at once. Upstream: pkg/apis/apps/validation/validation.go. */
import type { IntOrString } from '../meta/intstr.ts';
import { checkPercent } from '../meta/names.ts';
import { fieldErrors } from '../meta/status-error.ts';
import { addInvalid, checkNonnegative, type Errors } from './checks.ts';

export function checkIntOrPercent(errors: Errors, path: string, value: IntOrString | undefined): void {
  if (typeof value === 'string') addInvalid(errors, path, value, checkPercent(value));
  else checkNonnegative(errors, path, value);
}

const percentOf = (value: IntOrString | undefined): number | undefined =>
  typeof value === 'string' && checkPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined;

/** The percentage or the number; 0 for what is neither. */
export function amountOf(value: IntOrString | undefined): number {
  const percent = percentOf(value);
  if (percent !== undefined) return percent;
  return typeof value === 'string' ? (/^[-+]?\d+$/.test(value) ? Number(value) : 0) : (value ?? 0);
}

export function checkAtMostAll(errors: Errors, path: string, value: IntOrString | undefined): void {
  if ((percentOf(value) ?? 0) > 100) errors.push(fieldErrors.invalid(path, value, 'must not be greater than 100%'));
}
