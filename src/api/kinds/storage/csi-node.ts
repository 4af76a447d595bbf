/** CSINode: the drivers of a node; of one that is listed only the count may change. Upstream: pkg/apis/storage/validation/validation.go. */

import { CSINode } from '../../generated/kinds.ts';
import type { CSINodeDriver } from '../../generated/storage-v1.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import { checkQualifiedName } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, checkNonnegative, type Errors, immutableMessage } from '../checks.ts';
import { driverName } from '../core/pod-spec/driver-checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';

const nodeIDMax = 256;

export const csiNode = defineKind(CSINode, {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  hooks: { validate, cells: nameAndAge(({ spec }) => [listOf(spec.drivers).length]) },
});

function validate({ spec }: CSINode, old?: CSINode): readonly FieldError[] {
  const errors: Errors = [];
  const names = new Set<string>();
  listOf(spec.drivers).forEach((driver, i) => {
    checkDriver(errors, `spec.drivers[${i}]`, driver, names);
  });
  for (const before of listOf(old?.spec.drivers)) {
    for (const driver of listOf(spec.drivers)) {
      if (driver.name !== before.name || equalSemantically(omit(driver, 'allocatable'), omit(before, 'allocatable'))) continue;
      const { name: Name, nodeID: NodeID, topologyKeys } = driver;
      const shown = { Name, NodeID, TopologyKeys: topologyKeys?.length ? topologyKeys : null, Allocatable: null };
      errors.push(fieldErrors.invalid('spec.drivers', shown, immutableMessage));
    }
  }
  return errors;
}

function checkDriver(errors: Errors, path: string, driver: CSINodeDriver, names: Set<string>): void {
  const { name = '', nodeID, allocatable, topologyKeys } = driver;
  addJudged(errors, `${path}.name`, name, driverName);
  if (!nodeID) errors.push(fieldErrors.required(`${path}.nodeID`));
  else if (nodeID.length > nodeIDMax) {
    errors.push(fieldErrors.invalid(`${path}.nodeID`, nodeID, `must be ${nodeIDMax} characters or less`));
  }
  checkNonnegative(errors, `${path}.allocatable.count`, allocatable?.count);
  if (names.has(name)) errors.push(fieldErrors.duplicate(`${path}.name`, name));
  names.add(name);
  const keys = new Set<string>();
  for (const key of listOf(topologyKeys)) {
    if (!key) errors.push(fieldErrors.required(path));
    if (keys.has(key)) errors.push(fieldErrors.duplicate(path, key));
    keys.add(key);
    addInvalid(errors, path, key, checkQualifiedName(key));
  }
}
