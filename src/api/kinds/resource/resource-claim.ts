/**
 * ResourceClaim: what is asked for is fixed; a claim that is given to pods keeps what was allocated.
 * Upstream: pkg/registry/resource/resourceclaim/strategy.go, pkg/apis/resource/validation/validation.go.
 */
import { ResourceClaim, ResourceClaimV1beta1, ResourceClaimV1beta2 } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { KindHooks, VersionConversion } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';
import { claimConversion, inStoredForm } from './conversion.ts';
import { checkDeviceClaim, defaultClaim } from './request-checks.ts';

type Claim = ResourceClaim;
const reservedMax = 256;

const hooks: KindHooks<Claim> = {
  default: (object) => change(object, 'spec', defaultClaim),
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForStatusUpdate: keepMetadata,
  validate,
  validateStatus,
  cells: nameAndAge((object) => [stateOf(object)]),
};

const strategy = { returnsDeletedObject: true, resetFields: statusAlone };

export const resourceClaim = defineKind(ResourceClaim, { ...strategy, hooks });
export const resourceClaimV1beta2 = defineKind<Claim>(ResourceClaimV1beta2 as KindRef as KindRef<Claim>, { ...strategy, hooks });
export const resourceClaimV1beta1 = defineKind<Claim>(ResourceClaimV1beta1 as KindRef as KindRef<Claim>, {
  ...strategy,
  convert: claimConversion as VersionConversion<Claim>,
  hooks: inStoredForm(hooks, claimConversion),
});

function validate({ spec }: Claim, old?: Claim): readonly FieldError[] {
  const errors: Errors = [];
  if (old) checkImmutable(errors, 'spec', spec, old.spec);
  else checkDeviceClaim(errors, 'spec.devices', spec.devices);
  return errors;
}

function validateStatus({ status, metadata }: Claim, { status: before }: Claim): readonly FieldError[] {
  const errors: Errors = [];
  const path = 'status.reservedFor';
  const reserved = listOf(status.reservedFor);
  if (reserved.length > reservedMax) errors.push(fieldErrors.tooMany(path, reserved.length, reservedMax));
  const uids = new Set<string>();
  reserved.forEach(({ resource, name, uid }, i) => {
    for (const [field, value] of Object.entries({ resource, name, uid })) {
      if (!value) errors.push(fieldErrors.required(`${path}[${i}].${field}`));
    }
    if (uids.has(uid)) errors.push(fieldErrors.duplicate(`${path}[${i}].uid`, uid));
    uids.add(uid);
  });
  if (reserved.length && !status.allocation) {
    errors.push(fieldErrors.forbidden(path, 'may not be specified when `allocated` is not set'));
  }
  const known = new Set(listOf(before.reservedFor).map(({ uid }) => uid));
  if (metadata.deletionTimestamp && reserved.some(({ uid }) => !known.has(uid))) {
    errors.push(fieldErrors.forbidden(path, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'));
  }
  if (before.allocation && status.allocation && !equalSemantically(status.allocation, before.allocation)) {
    errors.push(fieldErrors.invalid('status.allocation', status.allocation, 'field is immutable'));
  }
  return errors;
}

function stateOf({ metadata, status }: Claim): string {
  const deleted = metadata.deletionTimestamp !== undefined;
  const states = [
    deleted && 'deleted',
    !status.allocation && !deleted && 'pending',
    status.allocation && 'allocated',
    status.allocation && status.reservedFor?.length && 'reserved',
  ];
  return states.filter((state) => typeof state === 'string').join(',');
}
