/** CSINode: the drivers of a node; of one that is listed only the count may change. Upstream: pkg/apis/storage/validation/validation.go. */

import { CSINode } from '../../generated/kinds.ts';
import type { CSINodeDriver, CSINodeSpec, VolumeNodeResources } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { all, fields, nonNegative, refuse, required, uniqueBy } from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { immutableMessage, repeats } from '../checks.ts';
import { driverName } from '../core/pod-spec/driver-checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { qualifiedName } from '../shared-rules.ts';

const nodeIDMax = 256;

const driver = fields<CSINodeDriver>({
  name: driverName,
  nodeID: required(refuse((id: string) => id.length > nodeIDMax, `must be ${nodeIDMax} characters or less`)),
  allocatable: fields<VolumeNodeResources>({ count: nonNegative }),
});
/** Upstream names the driver, not the key. */
const topologyKeys = (keys: readonly string[], walk: Walk): void => {
  const isRepeated = repeats<string>();
  for (const key of keys) {
    if (!key) walk.required('');
    if (isRepeated(key)) walk.duplicate('', key);
    qualifiedName(key, walk, undefined);
  }
};
const drivers = uniqueBy<CSINodeDriver>(({ name }) => name, {
  at: 'name',
  rule: driver,
  after: (given, walk) => topologyKeys(listOf(given.topologyKeys), walk),
});

const lastingDrivers: Rule<CSINode> = ({ spec }, walk, old) => {
  for (const before of listOf(old?.spec.drivers)) {
    for (const now of listOf(spec.drivers)) {
      if (now.name !== before.name || equalSemantically(omit(now, 'allocatable'), omit(before, 'allocatable'))) continue;
      const { name: Name, nodeID: NodeID, topologyKeys: keys } = now;
      walk.invalid('spec.drivers', { Name, NodeID, TopologyKeys: keys?.length ? keys : null, Allocatable: null }, immutableMessage);
    }
  }
};

export const csiNode = defineKind(CSINode, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  hooks: {
    rules: all(fields({ spec: fields<CSINodeSpec>({ drivers }) }), lastingDrivers),
    cells: nameAndAge(({ spec }) => [listOf(spec.drivers).length]),
  },
});
