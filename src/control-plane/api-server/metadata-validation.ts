/**
 * What is wrong with an object's metadata, on create and on update, in upstream's wording.
 * Upstream: apimachinery/pkg/api/validation/objectmeta.go.
 */
import type { ObjectMeta, OwnerReference } from '../../api/generated/meta-v1.ts';
import { equalSemantically } from '../../api/meta/deep-equal.ts';
import type { Kind } from '../../api/meta/kind.ts';
import { checkDns1123Label, checkQualifiedName } from '../../api/meta/names.ts';
import { validateLabels } from '../../api/meta/selectors.ts';
import { type FieldError, fieldErrors } from '../../api/meta/status-error.ts';

const annotationBytesMax = 256 * 1024;
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export function validateMetadata(kind: Kind, meta: ObjectMeta): readonly FieldError[] {
  const found: FieldError[] = [];
  if (meta.generateName) invalid(found, 'metadata.generateName', meta.generateName, kind.validateName(meta.generateName, true));
  if (!meta.name) found.push(fieldErrors.required('metadata.name', 'name or generateName is required'));
  else invalid(found, 'metadata.name', meta.name, kind.validateName(meta.name, false));
  if (kind.namespaced) {
    if (!meta.namespace) found.push(fieldErrors.required('metadata.namespace'));
    else invalid(found, 'metadata.namespace', meta.namespace, checkDns1123Label(meta.namespace));
  } else if (meta.namespace) found.push(fieldErrors.forbidden('metadata.namespace', 'not allowed on this type'));
  if ((meta.generation ?? 0) < 0)
    found.push(fieldErrors.invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0'));
  validateCommon(found, meta);
  if (meta.finalizers) validateFinalizers(found, meta.finalizers);
  return found;
}

/** Name and namespace have been compared with the URL already, so this asks only what an update may break. */
export function validateMetadataUpdate(meta: ObjectMeta, old: ObjectMeta): readonly FieldError[] {
  const found: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((f) => !old.finalizers?.includes(f)).sort();
    if (added.length > 0) {
      const list = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      found.push(fieldErrors.forbidden('metadata.finalizers', detail));
    }
  }
  for (const field of immutableFields) {
    if (!equalSemantically(meta[field], old[field]))
      found.push(fieldErrors.invalid(`metadata.${field}`, meta[field], 'field is immutable'));
  }
  if (meta.labels !== old.labels || meta.annotations !== old.annotations || meta.ownerReferences !== old.ownerReferences)
    validateCommon(found, meta);
  if (meta.finalizers && meta.finalizers !== old.finalizers) validateFinalizers(found, meta.finalizers);
  return found;
}

const immutableFields = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

function validateCommon(found: FieldError[], meta: ObjectMeta): void {
  if (meta.labels) found.push(...validateLabels(meta.labels, 'metadata.labels'));
  if (meta.annotations) validateAnnotations(found, meta.annotations);
  if (meta.ownerReferences) validateOwnerReferences(found, meta.ownerReferences);
}

function validateAnnotations(found: FieldError[], annotations: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const key in annotations) {
    invalid(found, 'metadata.annotations', key, checkQualifiedName(key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  }
  if (bytes > annotationBytesMax) found.push(fieldErrors.tooLong('metadata.annotations', annotationBytesMax));
}

function validateOwnerReferences(found: FieldError[], references: readonly OwnerReference[]): void {
  let controller: string | undefined;
  const path = 'metadata.ownerReferences';
  for (const reference of references) {
    const { apiVersion, kind, name, uid } = reference;
    if (!apiVersion) found.push(fieldErrors.invalid(`${path}.apiVersion`, apiVersion ?? '', 'version must not be empty'));
    if (!kind) found.push(fieldErrors.invalid(`${path}.kind`, kind ?? '', 'must not be empty'));
    if (!name) found.push(fieldErrors.invalid(`${path}.name`, name ?? '', 'must not be empty'));
    if (!uid) found.push(fieldErrors.invalid(`${path}.uid`, uid ?? '', 'must not be empty'));
    if (apiVersion === 'v1' && kind === 'Event')
      found.push(fieldErrors.invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
    if (!reference.controller) continue;
    const described = `${kind}/${name}`;
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${described}`;
      found.push(fieldErrors.invalid(path, references, detail));
    } else controller = described;
  }
}

function validateFinalizers(found: FieldError[], finalizers: readonly string[]): void {
  for (const finalizer of finalizers) invalid(found, 'metadata.finalizers', finalizer, checkQualifiedName(finalizer));
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    const detail = `finalizer ${foregroundFinalizer} and ${orphanFinalizer} cannot be both set`;
    found.push(fieldErrors.invalid('metadata.finalizers', finalizers, detail));
  }
}

function invalid(found: FieldError[], path: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) found.push(fieldErrors.invalid(path, value, message));
}
