/** Lease. Upstream: pkg/apis/coordination/validation/validation.go. */
import { Lease } from '../../generated/kinds.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { change, omit } from '../set-defaults.ts';

export const lease = defineKind(Lease, {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => withoutStrategy(object),
    prepareForUpdate: (object, old) => withoutStrategy(object, old),
    validate,
    cells: nameAndAge(({ spec }) => [spec.holderIdentity ?? '']),
  },
});

/** Coordinated election is a feature that is off: new leases don't say anything of it. */
function withoutStrategy(object: Lease, old?: Lease): Lease {
  if (old?.spec.strategy !== undefined || old?.spec.preferredHolder !== undefined) return object;
  return change(object, 'spec', (spec) => omit(spec, 'strategy', 'preferredHolder'));
}

function validate({ spec }: Lease): readonly FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  const errors: Errors = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(fieldErrors.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(fieldErrors.invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (strategy !== undefined) checkStrategy(errors, 'spec.strategy', strategy);
  if (preferredHolder && !strategy) {
    errors.push(fieldErrors.forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  }
  return errors;
}

/** One of Kubernetes, or a qualified one of someone else. The path names the field twice, as upstream has it. */
export function checkStrategy(errors: Errors, path: string, strategy: string): void {
  const at = `${path}.strategy`;
  if (strategy.includes('/')) addInvalid(errors, at, strategy, checkQualifiedName(strategy));
  else if (strategy !== 'OldestEmulationVersion') errors.push(fieldErrors.notSupported(at, strategy, ['OldestEmulationVersion']));
}
