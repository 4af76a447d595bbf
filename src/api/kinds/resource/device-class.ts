/** DeviceClass. Upstream: pkg/apis/resource/validation/validation.go. */
import { DeviceClass, DeviceClassV1beta1, DeviceClassV1beta2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { fields } from '../../schema/rules/rules.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { deviceSelectors } from './request-checks.ts';

const hooks: KindHooks<DeviceClass> = {
  rules: fields({ spec: fields({ selectors: deviceSelectors }) }),
  cells: nameAndAge(() => []),
};

export const [deviceClass, deviceClassV1beta2, deviceClassV1beta1] = defineVersions([DeviceClass, DeviceClassV1beta2, DeviceClassV1beta1], {
  hasGeneration: true,
  returnsDeletedObject: true,
  hooks,
});
