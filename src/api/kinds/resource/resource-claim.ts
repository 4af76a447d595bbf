/**
 * ResourceClaim: what is asked for is fixed; a claim that is given to pods keeps what was allocated.
 * Upstream: pkg/registry/resource/resourceclaim/strategy.go, pkg/apis/resource/validation/validation.go.
 */
import { ResourceClaim, ResourceClaimV1beta1, ResourceClaimV1beta2 } from '../../generated/kinds.ts';
import type { ResourceClaimConsumerReference } from '../../generated/resource-v1.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { all, fields, immutable, onCreate, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { keepMetadata, statusAlone } from '../keep-metadata.ts';
import { listOf } from '../lists.ts';
import { change } from '../set-defaults.ts';
import { claimConversion, older } from './conversion.ts';
import { defaultClaim, deviceClaim, setOf } from './request-checks.ts';

type Claim = ResourceClaim;

const reservedMax = 256;
const consumers = setOf<ResourceClaimConsumerReference>(
  reservedMax,
  ({ uid }) => uid,
  fields({ resource: required(), name: required(), uid: required() }),
);
const sameAllocation = immutable<object>();

const statusRule: Rule<Claim> = ({ status, metadata }, walk, old) => {
  const { reservedFor = [], allocation } = status;
  const before = old?.status ?? {};
  walk.check('reservedFor', reservedFor, consumers);
  if (reservedFor.length && !allocation) walk.forbidden('reservedFor', 'may not be specified when `allocated` is not set');
  else if (metadata.deletionTimestamp) {
    const known = new Set(listOf(before.reservedFor).map(({ uid }) => uid));
    const message = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    if (reservedFor.some(({ uid }) => !known.has(uid))) walk.forbidden('reservedFor', message);
  }
  if (before.allocation) walk.check<object>('allocation', allocation, sameAllocation, before.allocation);
};

const hooks: KindHooks<Claim> = {
  default: (object) => change(object, 'spec', defaultClaim),
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForStatusUpdate: keepMetadata,
  rules: fields({ spec: all(immutable(), onCreate(fields({ devices: deviceClaim }))) }),
  statusRules: (object, walk, old) => walk.check('status', object, statusRule, old),
  cells: nameAndAge((object) => [stateOf(object)]),
};

const strategy = { returnsDeletedObject: true, resetFields: statusAlone, hooks };

export const [resourceClaim, resourceClaimV1beta2] = defineVersions([ResourceClaim, ResourceClaimV1beta2], strategy);
export const [resourceClaimV1beta1] = defineVersions([ResourceClaimV1beta1], older(strategy, claimConversion));

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
