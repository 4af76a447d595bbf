/** VolumeAttributesClass: nothing of it can be changed. Upstream: pkg/apis/storage/validation/validation.go. */
import { VolumeAttributesClass, VolumeAttributesClassV1beta1 } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { all, evenAbsent, fields } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { parameters, provisioner } from './parameters.ts';

type AttributesClass = VolumeAttributesClass | VolumeAttributesClassV1beta1;

const lasting = (field: string): Rule<unknown> =>
  evenAbsent((value, walk, old) => {
    if (walk.isUpdate && !equalSemantically(value, old)) walk.forbidden('', `updates to ${field} are forbidden.`);
  });

const rules = all<AttributesClass>(
  fields({ driverName: lasting('driverName'), parameters: lasting('parameters') }),
  fields({ driverName: provisioner, parameters }),
  ({ parameters: given = {} }, walk) => {
    if (Object.keys(given).length === 0) walk.required('parameters', 'must contain at least one key/value pair');
  },
);

const hooks: KindHooks<AttributesClass> = { rules, cells: nameAndAge(({ driverName }) => [driverName]) };

export const [volumeAttributesClass, volumeAttributesClassV1beta1] = defineVersions([VolumeAttributesClass, VolumeAttributesClassV1beta1], {
  returnsDeletedObject: true,
  hooks,
});
