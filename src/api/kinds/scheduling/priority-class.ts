/** PriorityClass: only its description can be changed. Upstream: pkg/apis/scheduling/validation, pkg/apis/scheduling/v1/helpers.go. */

import { PriorityClass } from '../../generated/kinds.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { ageOf } from '../cells.ts';
import { checkImmutable, checkOneOf, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';

const userPriorityMax = 1_000_000_000;
const systemPrefix = 'system-';
const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

export const priorityClass = defineKind(PriorityClass, {
  hasGeneration: true,
  hooks: {
    validate,
    cells: (object, at) => [
      object.metadata.name,
      object.value ?? 0,
      object.globalDefault ?? false,
      ageOf(object, at),
      object.preemptionPolicy ?? '',
    ],
  },
});

function validate(object: PriorityClass, old?: PriorityClass): readonly FieldError[] {
  const errors: Errors = [];
  const { preemptionPolicy, value = 0 } = object;
  if (old) {
    if (value !== (old.value ?? 0)) errors.push(fieldErrors.forbidden('value', 'may not be changed in an update.'));
    checkImmutable(errors, 'preemptionPolicy', preemptionPolicy, old.preemptionPolicy);
    return errors;
  }
  const { name } = object.metadata;
  if (name.startsWith(systemPrefix)) {
    const wrong = whatIsWrongWithSystemClass(name, value, object.globalDefault ?? false);
    const message = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${wrong}`;
    if (wrong) errors.push(fieldErrors.forbidden('metadata.name', message));
  } else if (value > userPriorityMax) {
    errors.push(fieldErrors.forbidden('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`));
  }
  if (preemptionPolicy !== undefined) checkOneOf(errors, 'preemptionPolicy', preemptionPolicy, { of: ['PreemptLowerPriority', 'Never'] });
  return errors;
}

function whatIsWrongWithSystemClass(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = own(systemPriorities, name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
