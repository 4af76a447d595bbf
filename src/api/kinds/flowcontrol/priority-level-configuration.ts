/** PriorityLevelConfiguration: how many requests at once, and how they wait. Upstream: pkg/apis/flowcontrol/validation/validation.go. */

import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../generated/flowcontrol-v1.ts';
import { PriorityLevelConfiguration } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { nameAndAge } from '../cells.ts';
import { checkOneOf, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { omit } from '../set-defaults.ts';
import { mandatoryLevels } from './mandatory.ts';
import { checkFlowConditions } from './status.ts';

const queuesMax = 10_000_000;
const hashBitsMax = 60;
const none = '<none>';

export const priorityLevelConfiguration = defineKind(PriorityLevelConfiguration, {
  hasGeneration: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    validate,
    validateStatus: ({ status }) => checkFlowConditions(status.conditions),
    cells: nameAndAge(({ spec }) => {
      const queuing = spec.limited?.limitResponse?.queuing;
      return [
        spec.type ?? '',
        spec.limited?.nominalConcurrencyShares ?? none,
        queuing?.queues ?? none,
        queuing?.handSize ?? none,
        queuing?.queueLengthLimit ?? none,
      ];
    }),
  },
});

function validate({ spec, metadata }: PriorityLevelConfiguration): readonly FieldError[] {
  const errors: Errors = [];
  const { type, limited, exempt } = spec;
  if ((metadata.name === 'exempt') !== (type === 'Exempt')) {
    errors.push(fieldErrors.invalid('spec.type', type ?? '', "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type === 'Exempt') {
    if (limited) errors.push(fieldErrors.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    if (exempt) checkShares(errors, 'spec.exempt', exempt);
  } else if (type === 'Limited') {
    if (exempt) errors.push(fieldErrors.forbidden('spec.exempt', 'must be nil if the type is Limited'));
    if (limited) checkLimited(errors, 'spec.limited', limited);
    else errors.push(fieldErrors.required('spec.limited', 'must not be empty when type is Limited'));
  } else checkOneOf(errors, 'spec.type', type, { of: ['Exempt', 'Limited'] });
  const fixed = own(mandatoryLevels, metadata.name);
  if (metadata.name === 'exempt' && !equalSemantically(omit(spec, 'exempt'), { type: 'Exempt' })) {
    errors.push(fieldErrors.invalid('spec', spec, "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"));
  } else if (fixed && !equalSemantically(spec, fixed)) {
    errors.push(fieldErrors.invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`));
  }
  return errors;
}

type Shares = NonNullable<PriorityLevelConfigurationSpec['exempt']>;

function checkShares(errors: Errors, path: string, { nominalConcurrencyShares: shares, lendablePercent: lendable }: Shares): void {
  if (shares !== undefined && shares < 0) {
    errors.push(fieldErrors.invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'));
  }
  if (lendable !== undefined && (lendable < 0 || lendable > 100)) {
    errors.push(fieldErrors.invalid(`${path}.lendablePercent`, lendable, 'must be between 0 and 100, inclusive'));
  }
}

function checkLimited(errors: Errors, path: string, limited: LimitedPriorityLevelConfiguration): void {
  checkShares(errors, path, limited);
  checkResponse(errors, `${path}.limitResponse`, limited.limitResponse);
  const borrowing = limited.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    errors.push(fieldErrors.invalid(`${path}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer'));
  }
}

function checkResponse(errors: Errors, path: string, response: LimitResponse | undefined): void {
  const { type, queuing } = response ?? {};
  const at = `${path}.queuing`;
  if (type === 'Reject') {
    if (queuing) errors.push(fieldErrors.forbidden(at, 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (type === 'Queue') {
    if (queuing) checkQueuing(errors, at, queuing);
    else errors.push(fieldErrors.required(at, 'must not be empty if limited.limitResponse.type is Limited'));
  } else checkOneOf(errors, `${path}.type`, type, { of: ['Queue', 'Reject'] });
}

function checkQueuing(errors: Errors, path: string, { queues = 0, handSize = 0, queueLengthLimit = 0 }: QueuingConfiguration): void {
  const add = (field: string, value: number, message: string): void =>
    void errors.push(fieldErrors.invalid(`${path}.${field}`, value, message));
  if (queueLengthLimit <= 0) add('queueLengthLimit', queueLengthLimit, 'must be positive');
  if (queues <= 0) add('queues', queues, 'must be positive');
  else if (queues > queuesMax) add('queues', queues, `must not be greater than ${queuesMax}`);
  if (handSize <= 0) add('handSize', handSize, 'must be positive');
  else if (handSize > queues) add('handSize', handSize, `should not be greater than queues (${queues})`);
  else if (handBits(queues, handSize) > hashBitsMax) {
    const message = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBitsMax}`;
    add('handSize', handSize, message);
  }
}

/** How many bits of a hash it takes to deal such a hand. */
const handBits = (queues: number, handSize: number): number => Math.ceil(Math.log2(queues) * handSize);
