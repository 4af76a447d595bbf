/** CSIDriver. Upstream: pkg/registry/storage/csidriver/strategy.go, pkg/apis/storage/validation/validation.go. */
import { CSIDriver } from '../../generated/kinds.ts';
import type { TokenRequest } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkImmutable, checkSupported, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, omit } from '../set-defaults.ts';

const fsGroupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycleModes = ['Persistent', 'Ephemeral'];
const updateSecondsMin = 10;
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

export const csiDriver = defineKind(CSIDriver, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  hooks: {
    // volume limits for the scheduler are a feature that is off
    default: (object) => change(object, 'spec', (spec) => omit(spec, 'preventPodSchedulingIfMissing')),
    prepareForUpdate(object, old) {
      const { metadata } = object;
      if (equalSemantically(object.spec, old.spec)) return object;
      return { ...object, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
    },
    validate,
    cells: nameAndAge(({ spec }) => [
      spec.attachRequired ?? true,
      spec.podInfoOnMount ?? false,
      spec.storageCapacity ?? false,
      spec.tokenRequests ? spec.tokenRequests.map(({ audience }) => audience).join(',') : '<unset>',
      spec.requiresRepublish ?? false,
      listOf(spec.volumeLifecycleModes).join(',') || '<none>',
    ]),
  },
});

function validate({ spec }: CSIDriver, old?: CSIDriver): readonly FieldError[] {
  const errors: Errors = [];
  const requests = listOf(spec.tokenRequests);
  checkSupported(errors, 'spec.fsGroupPolicy', spec.fsGroupPolicy, fsGroupPolicies);
  checkTokenRequests(errors, 'spec.tokenRequests', requests);
  for (const mode of listOf(spec.volumeLifecycleModes)) checkSupported(errors, 'spec.volumeLifecycleModes', mode, lifecycleModes);
  const seconds = spec.nodeAllocatableUpdatePeriodSeconds;
  if (seconds !== undefined && seconds < updateSecondsMin) {
    const message = `must be greater than or equal to ${updateSecondsMin} seconds`;
    errors.push(fieldErrors.invalid('spec.nodeAllocatableUpdatePeriodSeconds', seconds, message));
  }
  const inSecrets = spec.serviceAccountTokenInSecrets;
  if (inSecrets !== undefined && !requests.length) {
    const message = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified';
    errors.push(fieldErrors.invalid('spec.serviceAccountTokenInSecrets', inSecrets, message));
  }
  if (old) {
    checkImmutable(errors, 'spec.attachedRequired', spec.attachRequired, old.spec.attachRequired);
    checkImmutable(errors, 'spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec.volumeLifecycleModes);
  }
  return errors;
}

function checkTokenRequests(errors: Errors, path: string, requests: readonly TokenRequest[]): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience = '', expirationSeconds: seconds }, i) => {
    const at = `${path}[${i}]`;
    if (audiences.has(audience)) {
      errors.push(fieldErrors.duplicate(`${at}.audience`, audience));
      return;
    }
    audiences.add(audience);
    const add = (message: string): void => void errors.push(fieldErrors.invalid(`${at}.expirationSeconds`, seconds, message));
    if (seconds !== undefined && seconds < tokenSecondsMin) add('may not specify a duration less than 10 minutes');
    if (seconds !== undefined && seconds > tokenSecondsMax) add('may not specify a duration larger than 2^32 seconds');
  });
}
