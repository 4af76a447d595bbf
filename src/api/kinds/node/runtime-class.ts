/** RuntimeClass. Upstream: pkg/apis/node/validation/validation.go. */
import type { Toleration } from '../../generated/core-v1.ts';
import { RuntimeClass } from '../../generated/kinds.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkDnsLabel, checkImmutable, checkLabels, checkPresent, type Errors } from '../checks.ts';
import { checkRequirements } from '../core/pod-spec/resource-checks.ts';
import { checkTolerations } from '../core/pod-spec/scheduling-checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';

export const runtimeClass = defineKind(RuntimeClass, {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks: { validate, cells: nameAndAge(({ handler }) => [handler]) },
});

function validate(object: RuntimeClass, old?: RuntimeClass): readonly FieldError[] {
  const errors: Errors = [];
  const { handler, overhead, scheduling } = object;
  if (old) {
    checkImmutable(errors, 'handler', handler, old.handler);
    return errors;
  }
  if (checkPresent(errors, 'handler', handler)) checkDnsLabel(errors, 'handler', handler);
  if (overhead?.podFixed) checkRequirements(errors, 'overhead', { limits: overhead.podFixed }, { claimNames: new Set() });
  if (scheduling) {
    checkLabels(errors, 'scheduling.nodeSelector', scheduling.nodeSelector);
    const tolerations = listOf(scheduling.tolerations);
    checkTolerations(errors, 'scheduling.tolerations', tolerations);
    checkUnique(errors, 'scheduling.tolerations', tolerations);
  }
  return errors;
}

function checkUnique(errors: Errors, path: string, tolerations: readonly Toleration[]): void {
  const known = new Set<string>();
  tolerations.forEach((toleration, i) => {
    const { key: Key = '', operator: Operator = '', value: Value = '', effect: Effect = '', tolerationSeconds } = toleration;
    const identity = JSON.stringify([Key, Operator, Value, Effect]);
    if (known.has(identity)) {
      const shown = { Key, Operator, Value, Effect, TolerationSeconds: tolerationSeconds ?? null };
      errors.push(fieldErrors.duplicate(`${path}[${i}]`, shown));
    }
    known.add(identity);
  });
}
