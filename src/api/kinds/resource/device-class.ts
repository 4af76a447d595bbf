/** DeviceClass. Upstream: pkg/apis/resource/validation/validation.go. */
import { DeviceClass, DeviceClassV1beta1, DeviceClassV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { nameAndAge } from '../cells.ts';
import type { Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkSelectors } from './request-checks.ts';

const hooks: KindHooks<DeviceClass> = {
  validate({ spec }) {
    const errors: Errors = [];
    checkSelectors(errors, 'spec.selectors', spec.selectors);
    return errors;
  },
  cells: nameAndAge(() => []),
};

const strategy = { hasGeneration: true, returnsDeletedObject: true };

export const deviceClass = defineKind(DeviceClass, { ...strategy, hooks });
export const deviceClassV1beta2 = defineKind<DeviceClass>(DeviceClassV1beta2 as KindRef as KindRef<DeviceClass>, { ...strategy, hooks });
export const deviceClassV1beta1 = defineKind<DeviceClass>(DeviceClassV1beta1 as KindRef as KindRef<DeviceClass>, { ...strategy, hooks });
