/** StorageClass: what it provisions, and how, can't be changed. Upstream: pkg/apis/storage/validation/validation.go. */

import type { TopologySelectorTerm } from '../../generated/core-v1.ts';
import { StorageClass } from '../../generated/kinds.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { own } from '../../meta/words.ts';
import { ageOf } from '../cells.ts';
import { checkImmutable, checkLabelKey, checkSupported, type Errors, repeats } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { checkParameters, checkProvisioner } from './parameters.ts';

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

export const storageClass = defineKind(StorageClass, {
  returnsDeletedObject: true,
  hooks: {
    validate,
    cells: (object, at) => {
      const { metadata } = object;
      const isDefault = defaultAnnotations.some((key) => own(metadata.annotations, key) === 'true');
      return [
        isDefault ? `${metadata.name} (default)` : metadata.name,
        object.provisioner,
        object.reclaimPolicy ?? 'Delete',
        object.volumeBindingMode ?? 'Immediate',
        object.allowVolumeExpansion ?? false,
        ageOf(object, at),
      ];
    },
  },
});

const fixedFields = ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const;

function validate(object: StorageClass, old?: StorageClass): readonly FieldError[] {
  const errors: Errors = [];
  if (old) {
    for (const field of fixedFields) checkImmutable(errors, field, object[field], old[field]);
    return errors;
  }
  checkProvisioner(errors, 'provisioner', object.provisioner);
  checkParameters(errors, 'parameters', object.parameters);
  checkSupported(errors, 'reclaimPolicy', object.reclaimPolicy || undefined, ['Delete', 'Retain']);
  checkSupported(errors, 'volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
  checkTopologies(errors, 'allowedTopologies', listOf(object.allowedTopologies));
  return errors;
}

function checkTopologies(errors: Errors, path: string, terms: readonly TopologySelectorTerm[]): void {
  // A term without expressions is the same as none, as upstream compares them.
  const known = new Set<string>(['[]']);
  terms.forEach(({ matchLabelExpressions }, i) => {
    const at = `${path}[${i}].matchLabelExpressions`;
    const keys = new Map<string, readonly string[]>();
    listOf(matchLabelExpressions).forEach(({ key, values }, j) => {
      checkValues(errors, `${at}[${j}].values`, listOf(values));
      checkLabelKey(errors, `${at}[${j}].key`, key);
      if (keys.has(key)) errors.push(fieldErrors.duplicate(`${at}[${j}].key`, key));
      keys.set(key, listOf(values).toSorted());
    });
    const identity = JSON.stringify([...keys].sort(([a], [b]) => (a < b ? -1 : 1)));
    if (known.has(identity)) errors.push(fieldErrors.duplicate(at, ''));
    known.add(identity);
  });
}

function checkValues(errors: Errors, path: string, values: readonly string[]): void {
  if (!values.length) errors.push(fieldErrors.required(path));
  const isRepeated = repeats<string>();
  values.forEach((value, i) => {
    if (isRepeated(value)) errors.push(fieldErrors.duplicate(`${path}[${i}]`, value));
  });
}
