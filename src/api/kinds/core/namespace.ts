/**
 * Namespace: labelled with its own name, and held by the finalizer `kubernetes` until its content is gone. Finalizers
 * change only through the `finalize` view. Upstream: pkg/registry/core/namespace.
 */
import { Namespace } from '../../generated/kinds.ts';
import { checkQualifiedName, nameIsDnsLabel } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { addInvalid, type Errors } from '../checks.ts';
import { defineKind, named } from '../define-kind.ts';
import { listOf } from '../lists.ts';

const nameLabel = 'kubernetes.io/metadata.name';
const finalizer = 'kubernetes';
const standardFinalizers = new Set([finalizer, 'orphan', 'foregroundDeletion']);

export const namespace = defineKind(Namespace, {
  validateName: nameIsDnsLabel,
  returnsDeletedObject: 'unpublished',
  selectablePaths: { ...named, 'status.phase': '' },
  hooks: {
    default: withNameLabel,
    prepareForCreate(object) {
      const finalizers = listOf(object.spec.finalizers);
      const spec = { ...object.spec, finalizers: finalizers.includes(finalizer) ? finalizers : [...finalizers, finalizer] };
      return withNameLabel({ ...object, spec, status: { phase: 'Active' } });
    },
    prepareForUpdate: (object, old) => ({ ...object, spec: old.spec }),
    validate: (object) => finalizerErrors(object, () => 'spec.finalizers'),
    validateStatus,
    cells: nameAndAge((object) => [object.status.phase ?? '']),
    views: {
      finalize: {
        prepareForUpdate: (object, old) => ({ ...object, status: old.status }),
        validate: (object) => finalizerErrors(object, (i) => `spec.finalizers[${i}]`),
      },
    },
  },
});

function withNameLabel(object: Namespace): Namespace {
  const { name, labels } = object.metadata;
  if (!name || labels?.[nameLabel] === name) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...labels, [nameLabel]: name } } };
}

function finalizerErrors(object: Namespace, pathOf: (index: number) => string): readonly FieldError[] {
  const errors: Errors = [];
  listOf(object.spec.finalizers).forEach((name, i) => {
    addInvalid(errors, pathOf(i), name, checkQualifiedName(name));
    if (name.includes('/') || standardFinalizers.has(name)) return;
    errors.push(fieldErrors.invalid(pathOf(i), name, 'name is neither a standard finalizer name nor is it fully qualified'));
  });
  return errors;
}

function validateStatus(object: Namespace): readonly FieldError[] {
  const deleting = object.metadata.deletionTimestamp !== undefined;
  const wanted = deleting ? 'Terminating' : 'Active';
  if (object.status.phase === wanted) return [];
  const message = `may only be '${wanted}' if \`deletionTimestamp\` is ${deleting ? 'not empty' : 'empty'}`;
  return [fieldErrors.invalid('status.Phase', object.status.phase ?? '', message)];
}
