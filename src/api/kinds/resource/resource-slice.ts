/**
 * ResourceSlice: the devices that a driver offers on a node, or elsewhere. Attributes and counters of devices are the
 * driver's matter. Upstream: pkg/apis/resource/validation/validation.go.
 */

import type { NodeSelector } from '../../generated/core-v1.ts';
import { ResourceSlice, ResourceSliceV1beta1, ResourceSliceV1beta2 } from '../../generated/kinds.ts';
import type { Device, ResourcePool, ResourceSliceSpec } from '../../generated/resource-v1.ts';
import type { KindHooks, WriteContext } from '../../meta/kind.ts';
import { formatTime } from '../../meta/time.ts';
import { all, fields, immutable, min, positive, refuse, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { nodeSelector } from '../core/pod-spec/affinity-checks.ts';
import { driverName } from '../core/pod-spec/driver-checks.ts';
import { defineVersions, named } from '../define-kind.ts';
import { change, mapSame } from '../set-defaults.ts';
import { dnsSubdomain, subdomainName } from '../shared-rules.ts';
import { older, sliceConversion } from './conversion.ts';
import { named as namedDifferently } from './request-checks.ts';

type Slice = ResourceSlice;

const devicesMax = 128;
const poolNameMax = 253;
const placements = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;
const onePlacement = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

const poolName: Rule<string> = (name, walk) => {
  if (name.length > poolNameMax) walk.tooLong('', poolNameMax);
  for (const part of name.split('/')) dnsSubdomain(part, walk, undefined);
};
const pool = fields<ResourcePool>({
  name: required(poolName),
  resourceSliceCount: positive(),
  generation: min(0, 'must be greater than or equal to zero'),
});
const samePool = fields<ResourcePool>({ name: immutable() });

const oneTerm: Rule<readonly unknown[]> = refuse((terms) => terms.length !== 1, 'must have exactly one node selector term');
const unlessFalse: Rule<boolean> = refuse((value) => !value, 'must be either unset or set to true');
const placement = all<ResourceSliceSpec>(
  fields({
    nodeName: (name, walk) => {
      if (name) subdomainName(name, walk, undefined);
      else walk.invalid('', name, 'must be either unset or set to a non-empty string');
    },
    nodeSelector: all(nodeSelector, fields<NodeSelector>({ nodeSelectorTerms: oneTerm })),
    allNodes: unlessFalse,
    perDeviceNodeSelection: unlessFalse,
  }),
  (spec, walk) => {
    const set = placements.filter((field) => spec[field]);
    const shown = `{${set.map((field) => `\`${field}\``).join(', ')}}`;
    if (set.length === 0) walk.required('', onePlacement);
    if (set.length > 1) walk.invalid('', shown, `${onePlacement}, but multiple fields are set`);
    if (spec.sharedCounters && spec.devices) walk.invalid('', '', 'only one of `sharedCounters` or `devices` is allowed');
  },
);

const hooks: KindHooks<Slice> = {
  prepareForCreate: (object, by) => withTaintTimes(object, by),
  rules: fields({
    spec: all<ResourceSliceSpec>(
      fields({ driver: driverName, pool }),
      fields({ pool: samePool, driver: immutable(), nodeName: immutable() }),
      placement,
      fields({ devices: namedDifferently(devicesMax) }),
    ),
  }),
  cells: nameAndAge(({ spec }) => [spec.nodeName ?? '', spec.driver, spec.pool.name]),
};

const strategy = {
  hooks,
  hasGeneration: true,
  returnsDeletedObject: true,
  selectablePaths: { ...named, 'spec.nodeName': '', 'spec.driver': '' },
  describeUnknownField: (field: string, version: string) =>
    `field label not supported for resource.k8s.io/${version}, Kind=ResourceSlice: ${field}`,
};

export const [resourceSlice, resourceSliceV1beta2] = defineVersions([ResourceSlice, ResourceSliceV1beta2], strategy);
export const [resourceSliceV1beta1] = defineVersions([ResourceSliceV1beta1], older(strategy, sliceConversion));

/** A taint without a time was added now. */
function withTaintTimes(object: Slice, by: WriteContext | undefined): Slice {
  if (!by) return object;
  const timeAdded = formatTime(by.nowMs);
  const withTimes = (device: Device): Device =>
    change(device, 'taints', (taints) => mapSame(taints, (taint) => (taint.timeAdded ? taint : { ...taint, timeAdded })));
  return change(object, 'spec', (spec) => change(spec, 'devices', (devices) => mapSame(devices, withTimes)));
}
