/**
 * ResourceSlice: the devices that a driver offers on a node, or elsewhere. Attributes and counters of devices are the
 * driver's matter. Upstream: pkg/apis/resource/validation/validation.go.
 */

import { ResourceSlice, ResourceSliceV1beta1, ResourceSliceV1beta2 } from '../../generated/kinds.ts';
import type { Device, ResourcePool, ResourceSliceSpec } from '../../generated/resource-v1.ts';
import type { KindHooks, VersionConversion, WriteContext } from '../../meta/kind.ts';
import { nameIsDnsSubdomain } from '../../meta/names.ts';
import type { KindRef } from '../../meta/object.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { formatTime } from '../../meta/time.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkDnsSubdomain, checkImmutable, checkPresent, type Errors } from '../checks.ts';
import { nodeSelector as nodeSelectorRule } from '../core/pod-spec/affinity-checks.ts';
import { driverName } from '../core/pod-spec/driver-checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { change, mapSame } from '../set-defaults.ts';
import { inStoredForm, sliceConversion } from './conversion.ts';
import { checkNamed } from './request-checks.ts';

type Slice = ResourceSlice;

const devicesMax = 128;
const poolNameMax = 253;
const placements = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;
const onePlacement = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

const hooks: KindHooks<Slice> = {
  prepareForCreate: (object, by) => withTaintTimes(object, by),
  validate,
  cells: nameAndAge(({ spec }) => [spec.nodeName ?? '', spec.driver, spec.pool.name]),
};

const strategy = {
  hasGeneration: true,
  returnsDeletedObject: true,
  selectablePaths: { ...named, 'spec.nodeName': '', 'spec.driver': '' },
  describeUnknownField: (field: string, version: string) =>
    `field label not supported for resource.k8s.io/${version}, Kind=ResourceSlice: ${field}`,
};

export const resourceSlice = defineKind(ResourceSlice, { ...strategy, hooks });
export const resourceSliceV1beta2 = defineKind<Slice>(ResourceSliceV1beta2 as KindRef as KindRef<Slice>, { ...strategy, hooks });
export const resourceSliceV1beta1 = defineKind<Slice>(ResourceSliceV1beta1 as KindRef as KindRef<Slice>, {
  ...strategy,
  convert: sliceConversion as VersionConversion<Slice>,
  hooks: inStoredForm(hooks, sliceConversion),
});

/** A taint without a time was added now. */
function withTaintTimes(object: Slice, by: WriteContext | undefined): Slice {
  if (!by) return object;
  const timeAdded = formatTime(by.nowMs);
  const withTimes = (device: Device): Device =>
    change(device, 'taints', (taints) => mapSame(taints, (taint) => (taint.timeAdded ? taint : { ...taint, timeAdded })));
  return change(object, 'spec', (spec) => change(spec, 'devices', (devices) => mapSame(devices, withTimes)));
}

function validate({ spec }: Slice, old?: Slice): readonly FieldError[] {
  const errors: Errors = [];
  addJudged(errors, 'spec.driver', spec.driver ?? '', driverName);
  checkPool(errors, 'spec.pool', spec.pool ?? {});
  if (old) {
    checkImmutable(errors, 'spec.pool.name', spec.pool.name, old.spec.pool.name);
    checkImmutable(errors, 'spec.driver', spec.driver, old.spec.driver);
    checkImmutable(errors, 'spec.nodeName', spec.nodeName, old.spec.nodeName);
  }
  checkPlacement(errors, spec);
  if (spec.sharedCounters && spec.devices) {
    errors.push(fieldErrors.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  checkNamed(errors, 'spec.devices', listOf(spec.devices), devicesMax);
  return errors;
}

function checkPool(errors: Errors, path: string, { name = '', resourceSliceCount = 0, generation = 0 }: Partial<ResourcePool>): void {
  if (checkPresent(errors, `${path}.name`, name)) {
    if (name.length > poolNameMax) errors.push(fieldErrors.tooLong(`${path}.name`, poolNameMax));
    for (const part of name.split('/')) checkDnsSubdomain(errors, `${path}.name`, part);
  }
  if (resourceSliceCount <= 0) {
    errors.push(fieldErrors.invalid(`${path}.resourceSliceCount`, resourceSliceCount, 'must be greater than zero'));
  }
  if (generation < 0) {
    errors.push(fieldErrors.invalid(`${path}.generation`, generation, 'must be greater than or equal to zero'));
  }
}

function checkPlacement(errors: Errors, spec: ResourceSliceSpec): void {
  const { nodeName, nodeSelector } = spec;
  if (nodeName) addInvalid(errors, 'spec.nodeName', nodeName, nameIsDnsSubdomain(nodeName, false));
  else if (nodeName !== undefined) {
    errors.push(fieldErrors.invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'));
  }
  if (nodeSelector) {
    addJudged(errors, 'spec.nodeSelector', nodeSelector, nodeSelectorRule);
    const terms = nodeSelector.nodeSelectorTerms;
    if (terms.length !== 1) {
      errors.push(fieldErrors.invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'));
    }
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === false) errors.push(fieldErrors.invalid(`spec.${field}`, false, 'must be either unset or set to true'));
  }
  const set = placements.filter((field) => spec[field]);
  if (!set.length) errors.push(fieldErrors.required('spec', onePlacement));
  else if (set.length > 1) {
    const shown = `{${set.map((field) => `\`${field}\``).join(', ')}}`;
    errors.push(fieldErrors.invalid('spec', shown, `${onePlacement}, but multiple fields are set`));
  }
}
