/** CSIDriver. Upstream: pkg/registry/storage/csidriver/strategy.go, pkg/apis/storage/validation/validation.go. */
import { CSIDriver } from '../../generated/kinds.ts';
import type { CSIDriverSpec, TokenRequest } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { all, each, eachBy, fields, immutable, max, min, oneOf, outside } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, omit } from '../set-defaults.ts';

const updateSecondsMin = 10;
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

const attached = fields<{ readonly attachedRequired?: boolean | undefined }>({ attachedRequired: immutable() });
const seconds = all<number>(
  min(tokenSecondsMin, 'may not specify a duration less than 10 minutes'),
  max(tokenSecondsMax, 'may not specify a duration larger than 2^32 seconds'),
);
const tokenRequests = eachBy<TokenRequest>(() => {
  const isRepeated = repeats<string>();
  return ({ audience = '', expirationSeconds }, walk) => {
    if (isRepeated(audience)) walk.duplicate('audience', audience);
    else walk.check('expirationSeconds', expirationSeconds, seconds);
  };
});

const spec = all<CSIDriverSpec>(
  fields({
    fsGroupPolicy: oneOf('File', 'None', 'ReadWriteOnceWithFSType'),
    tokenRequests,
    volumeLifecycleModes: each(outside(oneOf('Persistent', 'Ephemeral'))),
    nodeAllocatableUpdatePeriodSeconds: min(updateSecondsMin, `must be greater than or equal to ${updateSecondsMin} seconds`),
  }),
  ({ serviceAccountTokenInSecrets: inSecrets, tokenRequests: requests }, walk) => {
    const message = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    if (inSecrets !== undefined && !requests?.length) walk.invalid('serviceAccountTokenInSecrets', inSecrets, message);
  },
  // upstream misspells it
  ({ attachRequired }, walk, old) => attached({ attachedRequired: attachRequired }, walk, { attachedRequired: old?.attachRequired }),
  fields({ volumeLifecycleModes: immutable() }),
);

export const csiDriver = defineKind(CSIDriver, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  hooks: {
    // volume limits for the scheduler are a feature that is off
    default: (object) => change(object, 'spec', (given) => omit(given, 'preventPodSchedulingIfMissing')),
    prepareForUpdate(object, old) {
      const { metadata } = object;
      if (equalSemantically(object.spec, old.spec)) return object;
      return { ...object, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
    },
    rules: fields({ spec }),
    cells: nameAndAge(({ spec: given }) => [
      given.attachRequired ?? true,
      given.podInfoOnMount ?? false,
      given.storageCapacity ?? false,
      given.tokenRequests ? given.tokenRequests.map(({ audience }) => audience).join(',') : '<unset>',
      given.requiresRepublish ?? false,
      listOf(given.volumeLifecycleModes).join(',') || '<none>',
    ]),
  },
});
