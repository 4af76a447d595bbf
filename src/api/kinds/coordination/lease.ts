/** Lease. Upstream: pkg/apis/coordination/validation/validation.go. */
import type { LeaseSpec } from '../../generated/coordination-v1.ts';
import { Lease } from '../../generated/kinds.ts';
import { all, fields, nonNegative, oneOf, refuse } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { change, omit } from '../set-defaults.ts';
import { qualifiedName } from '../shared-rules.ts';

/** One of Kubernetes, or a qualified one of someone else. The path names the field twice, as upstream has it. */
export const strategy: Rule<string> = (value, walk) => {
  if (value.includes('/')) walk.check('strategy', value, qualifiedName);
  else walk.check('strategy', value, oneOf('OldestEmulationVersion'));
};

const spec = all<LeaseSpec>(
  fields({
    leaseDurationSeconds: refuse((seconds) => seconds <= 0, 'must be greater than 0'),
    leaseTransitions: nonNegative,
    strategy,
  }),
  (given, walk) => {
    if (given.preferredHolder && !given.strategy) walk.forbidden('preferredHolder', 'may only be specified if `strategy` is defined');
  },
);

export const lease = defineKind(Lease, {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks: {
    prepareForCreate: (object) => withoutStrategy(object),
    prepareForUpdate: (object, old) => withoutStrategy(object, old),
    rules: fields({ spec }),
    cells: nameAndAge((object) => [object.spec.holderIdentity ?? '']),
  },
});

/** Coordinated election is a feature that is off: new leases don't say anything of it. */
function withoutStrategy(object: Lease, old?: Lease): Lease {
  if (old?.spec.strategy !== undefined || old?.spec.preferredHolder !== undefined) return object;
  return change(object, 'spec', (given) => omit(given, 'strategy', 'preferredHolder'));
}
