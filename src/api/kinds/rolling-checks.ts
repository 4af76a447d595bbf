/** Rules of what is a number or a percentage: how many at once. Upstream: pkg/apis/apps/validation/validation.go. */

import type { IntOrString } from '../meta/intstr.ts';
import { checkPercent } from '../meta/names.ts';
import { nonNegative, refuse } from '../schema/rules/rules.ts';
import type { Rule } from '../schema/rules/walk.ts';

export const intOrPercent: Rule<IntOrString> = (value, walk) => {
  if (typeof value === 'string') for (const message of checkPercent(value)) walk.invalid('', value, message);
  else nonNegative(value, walk, undefined);
};

const percentOf = (value: IntOrString | undefined): number | undefined =>
  typeof value === 'string' && checkPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined;

/** The percentage or the number; 0 for what is neither. */
export function amountOf(value: IntOrString | undefined): number {
  const percent = percentOf(value);
  if (percent !== undefined) return percent;
  return typeof value === 'string' ? (/^[-+]?\d+$/.test(value) ? Number(value) : 0) : (value ?? 0);
}

export const atMostAll: Rule<IntOrString> = refuse((value) => (percentOf(value) ?? 0) > 100, 'must not be greater than 100%');
