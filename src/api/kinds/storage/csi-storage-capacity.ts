/** CSIStorageCapacity. Upstream: pkg/apis/storage/validation/validation.go. */
import { CSIStorageCapacity } from '../../generated/kinds.ts';
import type { FieldError } from '../../meta/status-error.ts';
import { checkDnsSubdomain, checkImmutable, checkNonnegativeQuantity, checkSelector, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';

export const csiStorageCapacity = defineKind(CSIStorageCapacity, {
  allowUnconditionalUpdate: false,
  hooks: { validate, cells: ({ metadata }) => [metadata.name, metadata.creationTimestamp ?? null] },
});

function validate(object: CSIStorageCapacity, old?: CSIStorageCapacity): readonly FieldError[] {
  const errors: Errors = [];
  if (old) {
    checkImmutable(errors, 'nodeTopology', object.nodeTopology, old.nodeTopology);
    checkImmutable(errors, 'storageClassName', object.storageClassName, old.storageClassName);
    return errors;
  }
  checkSelector(errors, 'nodeTopology', object.nodeTopology);
  checkDnsSubdomain(errors, 'storageClassName', object.storageClassName ?? '');
  if (object.capacity !== undefined) checkNonnegativeQuantity(errors, 'capacity', object.capacity);
  return errors;
}
