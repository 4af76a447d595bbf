/** Conditions of flow control. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import type { Errors } from '../checks.ts';
import { listOf } from '../lists.ts';

export function checkFlowConditions(conditions: readonly { readonly type?: string }[] | undefined): readonly FieldError[] {
  const errors: Errors = [];
  const types = new Set<string>();
  listOf(conditions).forEach(({ type = '' }, i) => {
    const path = `status.conditions[${i}].type`;
    if (types.has(type)) errors.push(fieldErrors.duplicate(path, type));
    types.add(type);
    if (!type) errors.push(fieldErrors.required(path));
  });
  return errors;
}
