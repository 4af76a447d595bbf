/** VolumeAttributesClass: nothing of it can be changed. Upstream: pkg/apis/storage/validation/validation.go. */
import { VolumeAttributesClass, VolumeAttributesClassV1beta1 } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import type { Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkParameters, checkProvisioner } from './parameters.ts';

type AttributesClass = VolumeAttributesClass | VolumeAttributesClassV1beta1;

const hooks: KindHooks<AttributesClass> = { validate, cells: nameAndAge(({ driverName }) => [driverName]) };

const strategy = { returnsDeletedObject: true };

export const volumeAttributesClass = defineKind<AttributesClass>(VolumeAttributesClass, { ...strategy, hooks });
export const volumeAttributesClassV1beta1 = defineKind<AttributesClass>(VolumeAttributesClassV1beta1, { ...strategy, hooks });

function validate(object: AttributesClass, old?: AttributesClass): readonly FieldError[] {
  const errors: Errors = [];
  for (const field of old ? (['driverName', 'parameters'] as const) : []) {
    if (!equalSemantically(object[field], old?.[field])) errors.push(fieldErrors.forbidden(field, `updates to ${field} are forbidden.`));
  }
  checkProvisioner(errors, 'driverName', object.driverName);
  checkParameters(errors, 'parameters', object.parameters);
  if (!Object.keys(object.parameters ?? {}).length) {
    errors.push(fieldErrors.required('parameters', 'must contain at least one key/value pair'));
  }
  return errors;
}
