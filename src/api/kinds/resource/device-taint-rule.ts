/** DeviceTaintRule, which is beta and not served by default. Upstream: pkg/printers/internalversion/printers.go. */
import { DeviceTaintRule, DeviceTaintRuleV1alpha3 } from '../../generated/kinds.ts';
import { formatAge } from '../../meta/duration.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { ageOf, textColumns } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { statusAlone } from '../keep-metadata.ts';

const hooks: KindHooks<DeviceTaintRule> = {
  prepareForCreate: (object) => ({ ...object, status: {} }),
  cells: (object, at) => {
    const { key, value, effect, timeAdded } = object.spec.taint;
    return [object.metadata.name, key, value ?? '', effect, timeAdded ? formatAge(timeAdded, at.nowMs) : '', ageOf(object, at)];
  },
};
const extra = {
  hasGeneration: true,
  resetFields: statusAlone,
  returnsDeletedObject: true,
  hooks,
  columns: textColumns('Name', 'Key', 'Value', 'Effect', 'TimeAdded', 'Age'),
};

export const [deviceTaintRule, deviceTaintRuleV1alpha3] = defineVersions([DeviceTaintRule, DeviceTaintRuleV1alpha3], extra);
