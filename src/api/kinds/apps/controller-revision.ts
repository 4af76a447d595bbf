/** ControllerRevision: one state of a workload, which never changes. Upstream: pkg/registry/apps/controllerrevision. */
import { ControllerRevision } from '../../generated/kinds.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge } from '../cells.ts';
import { checkImmutable, checkNonnegative, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';

export const controllerRevision = defineKind(ControllerRevision, {
  hooks: {
    validate,
    cells: nameAndAge((object) => [ownerOf(object), object.revision]),
  },
});

function validate(object: ControllerRevision, old?: ControllerRevision): readonly FieldError[] {
  const errors: Errors = [];
  const data: unknown = object.data;
  checkNonnegative(errors, 'revision', object.revision);
  if (old) checkImmutable(errors, 'data', data, old.data);
  else if (data === undefined || data === null) errors.push(fieldErrors.required('data', 'data is mandatory'));
  else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.push(fieldErrors.required('data', 'data must be a valid JSON object'));
  }
  return errors;
}

function ownerOf(object: ControllerRevision): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller);
  if (!owner) return '<none>';
  const [group, version] = owner.apiVersion.split('/');
  const kind = version ? `${owner.kind}.${group}` : owner.kind;
  return `${kind.toLowerCase()}/${owner.name}`;
}
