/** PriorityLevelConfiguration: how many requests at once, and how they wait. Upstream: pkg/apis/flowcontrol/validation/validation.go. */

import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../generated/flowcontrol-v1.ts';
import { PriorityLevelConfiguration } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { own } from '../../meta/words.ts';
import { all, evenAbsent, fields, min, oneOf, range, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';
import { omit } from '../set-defaults.ts';
import { mandatoryLevels } from './mandatory.ts';
import { flowStatus } from './status.ts';

const queuesMax = 10_000_000;
const hashBitsMax = 60;
const none = '<none>';

export const priorityLevelConfiguration = defineKind(PriorityLevelConfiguration, {
  hasGeneration: true,
  resetFields: statusAlone,
  hooks: {
    prepareForCreate: (object) => ({ ...object, status: {} }),
    rules: (object, walk, old) => rules(object, walk, old),
    statusRules: ({ status }, walk) => walk.check('status', status, flowStatus),
    cells: nameAndAge(({ spec }) => {
      const queues = spec.limited?.limitResponse?.queuing;
      return [
        spec.type ?? '',
        spec.limited?.nominalConcurrencyShares ?? none,
        queues?.queues ?? none,
        queues?.handSize ?? none,
        queues?.queueLengthLimit ?? none,
      ];
    }),
  },
});

type Shares = NonNullable<PriorityLevelConfigurationSpec['exempt']>;

const shares = fields<Shares>({
  nominalConcurrencyShares: min(0, 'must be a non-negative integer'),
  lendablePercent: range(0, 100),
});

const queuing: Rule<QueuingConfiguration> = ({ queues = 0, handSize = 0, queueLengthLimit = 0 }, walk) => {
  if (queueLengthLimit <= 0) walk.invalid('queueLengthLimit', queueLengthLimit, 'must be positive');
  if (queues <= 0) walk.invalid('queues', queues, 'must be positive');
  else if (queues > queuesMax) walk.invalid('queues', queues, `must not be greater than ${queuesMax}`);
  if (handSize <= 0) walk.invalid('handSize', handSize, 'must be positive');
  else if (handSize > queues) walk.invalid('handSize', handSize, `should not be greater than queues (${queues})`);
  else if (handBits(queues, handSize) > hashBitsMax) {
    const message = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBitsMax}`;
    walk.invalid('handSize', handSize, message);
  }
};

const responseType = fields<LimitResponse>({ type: required(oneOf('Queue', 'Reject')) });
const response: Rule<LimitResponse | undefined> = (given, walk) => {
  const { type, queuing: queues } = given ?? {};
  if (type === 'Reject') {
    if (queues) walk.forbidden('queuing', 'must be nil if limited.limitResponse.type is not Limited');
  } else if (type === 'Queue') {
    if (queues) walk.check('queuing', queues, queuing);
    else walk.required('queuing', 'must not be empty if limited.limitResponse.type is Limited');
  } else responseType({ type } as LimitResponse, walk, undefined);
};

const limited = all<LimitedPriorityLevelConfiguration>(
  shares,
  fields({ limitResponse: evenAbsent(response), borrowingLimitPercent: min(0, 'if specified, must be a non-negative integer') }),
);

const specType = fields<PriorityLevelConfigurationSpec>({ type: required(oneOf('Exempt', 'Limited')) });
const byType: Rule<PriorityLevelConfigurationSpec> = (given, walk, old) => {
  if (given.type === 'Exempt') {
    if (given.limited) walk.forbidden('limited', 'must be nil if the type is not Limited');
    walk.check('exempt', given.exempt, shares);
  } else if (given.type === 'Limited') {
    if (given.exempt) walk.forbidden('exempt', 'must be nil if the type is Limited');
    if (given.limited) walk.check('limited', given.limited, limited);
    else walk.required('limited', 'must not be empty when type is Limited');
  } else specType(given, walk, old);
};

const rules: Rule<PriorityLevelConfiguration> = ({ spec, metadata: { name } }, walk) => {
  if ((name === 'exempt') !== (spec.type === 'Exempt')) {
    walk.invalid('spec.type', spec.type ?? '', "must be 'Exempt' if and only if `name` is 'exempt'");
  }
  walk.check('spec', spec, byType);
  const fixed = own(mandatoryLevels, name);
  if (name === 'exempt' && !equalSemantically(omit(spec, 'exempt'), { type: 'Exempt' })) {
    walk.invalid('spec', spec, "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value");
  } else if (fixed && !equalSemantically(spec, fixed)) walk.invalid('spec', spec, `spec of '${name}' must equal the fixed value`);
};

/** How many bits of a hash it takes to deal such a hand. */
const handBits = (queues: number, handSize: number): number => Math.ceil(Math.log2(queues) * handSize);
