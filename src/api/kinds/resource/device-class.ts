/** DeviceClass. Upstream: pkg/apis/resource/validation/validation.go. */
import { DeviceClass, DeviceClassV1beta1, DeviceClassV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import type { KindRef } from '../../meta/object.ts';
import { fields } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { deviceSelectors } from './request-checks.ts';

const hooks: KindHooks<DeviceClass> = {
  rules: fields({ spec: fields({ selectors: deviceSelectors }) }),
  cells: nameAndAge(() => []),
};

const strategy = { hasGeneration: true, returnsDeletedObject: true };

export const deviceClass = defineKind(DeviceClass, { ...strategy, hooks });
export const deviceClassV1beta2 = defineKind<DeviceClass>(DeviceClassV1beta2 as KindRef as KindRef<DeviceClass>, { ...strategy, hooks });
export const deviceClassV1beta1 = defineKind<DeviceClass>(DeviceClassV1beta1 as KindRef as KindRef<DeviceClass>, { ...strategy, hooks });
