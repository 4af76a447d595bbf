/**
 * Checks of metadata that are the same for every kind: names, labels, annotations, owners, finalizers, and what an
 * update may not change.
 * Upstream: apimachinery/pkg/api/validation/objectmeta.go, apimachinery/pkg/apis/meta/v1/validation.
 */
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../generated/meta-v1.ts';
import { equalSemantically } from '../meta/deep-equal.ts';
import { checkDns1123Label, checkQualifiedName } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';
import { validateLabels } from '../meta/selectors.ts';
import { type FieldError, fieldErrors } from '../meta/status-error.ts';

/** All keys and values of annotations together. */
const annotationsBytesMax = 256 * 1024;

export interface MetadataRules {
  readonly namespaced: boolean;
  validateName(name: string, prefix: boolean, object: KubeObject): readonly string[];
  /** the type table's name: kinds of the core's own groups take only qualified finalizers */
  readonly typeName?: string;
}

/** What is wrong with the metadata of an object that is about to be stored. */
export function validateMetadata(rules: MetadataRules, object: KubeObject, path = 'metadata'): readonly FieldError[] {
  const found: FieldError[] = [];
  const { metadata } = object;
  const { name, generateName } = metadata;
  if (generateName) {
    for (const message of rules.validateName(generateName, true, object)) {
      found.push(fieldErrors.invalid(`${path}.generateName`, generateName, message));
    }
  }
  if (!name) found.push(fieldErrors.required(`${path}.name`, 'name or generateName is required'));
  else for (const message of rules.validateName(name, false, object)) found.push(fieldErrors.invalid(`${path}.name`, name, message));
  checkNamespace(rules.namespaced, metadata.namespace, path, found);
  if ((metadata.generation ?? 0) < 0) {
    found.push(fieldErrors.invalid(`${path}.generation`, metadata.generation, 'must be greater than or equal to 0'));
  }
  checkShared(metadata, path, found);
  checkFinalizers(metadata.finalizers, `${path}.finalizers`, found);
  if (rules.typeName?.startsWith(strictTypes)) checkStandardFinalizers(metadata.finalizers, `${path}.finalizers`, found);
  return found;
}

/** What is wrong with the metadata of an update: the checks of `validateMetadata` that upstream repeats, and what may not change. */
export function validateMetadataUpdate(
  { typeName }: Pick<MetadataRules, 'typeName'>,
  metadata: ObjectMeta,
  old: ObjectMeta,
  path = 'metadata',
): readonly FieldError[] {
  const found: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (metadata.finalizers ?? []).filter((f) => !old.finalizers?.includes(f)).toSorted();
    if (added.length) {
      const list = `[]string{${added.map((f) => JSON.stringify(f)).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      found.push(fieldErrors.forbidden(`${path}.finalizers`, detail));
    }
  }
  if (!metadata.resourceVersion) {
    found.push(fieldErrors.invalid(`${path}.resourceVersion`, metadata.resourceVersion ?? '', 'must be specified for an update'));
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    found.push(fieldErrors.invalid(`${path}.generation`, metadata.generation, 'must not be decremented'));
  }
  for (const field of immutableFields) {
    if (equalSemantically(metadata[field], old[field])) continue;
    found.push(fieldErrors.invalid(`${path}.${field}`, metadata[field] ?? (textFields.has(field) ? '' : null), 'field is immutable'));
  }
  checkShared(metadata, path, found);
  if (typeName?.startsWith(strictTypes)) checkStandardFinalizers(metadata.finalizers, `${path}.finalizers`, found);
  return found;
}

const immutableFields = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;
const textFields: ReadonlySet<string> = new Set(['name', 'namespace', 'uid']);

function checkNamespace(namespaced: boolean, namespace: string | undefined, path: string, found: FieldError[]): void {
  if (!namespaced) {
    if (namespace) found.push(fieldErrors.forbidden(`${path}.namespace`, 'not allowed on this type'));
  } else if (!namespace) found.push(fieldErrors.required(`${path}.namespace`));
  else for (const message of checkDns1123Label(namespace)) found.push(fieldErrors.invalid(`${path}.namespace`, namespace, message));
}

function checkShared(metadata: ObjectMeta, path: string, found: FieldError[]): void {
  if (metadata.labels) found.push(...validateLabels(metadata.labels, `${path}.labels`));
  if (metadata.annotations) found.push(...validateAnnotations(metadata.annotations, `${path}.annotations`));
  if (metadata.ownerReferences) checkOwners(metadata.ownerReferences, `${path}.ownerReferences`, found);
  if (metadata.managedFields) checkManagedFields(metadata.managedFields, `${path}.managedFields`, found);
}

/** Also for the annotations of templates. */
export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): readonly FieldError[] {
  const found: FieldError[] = [];
  let bytes = 0;
  for (const key in annotations) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
    for (const message of checkQualifiedName(key.toLowerCase())) found.push(fieldErrors.invalid(path, key, message));
  }
  if (bytes > annotationsBytesMax) found.push(fieldErrors.tooLong(path, annotationsBytesMax));
  return found;
}

function checkOwners(owners: readonly OwnerReference[], path: string, found: FieldError[]): void {
  let controller: string | undefined;
  for (const owner of owners) {
    checkOwner(owner, path, found);
    if (!owner.controller) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = name;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`;
      found.push(fieldErrors.invalid(path, owners, detail));
    }
  }
}

function checkOwner(owner: OwnerReference, path: string, found: FieldError[]): void {
  const { apiVersion, kind, name, uid } = owner;
  const slashes = (apiVersion ?? '').split('/');
  const version = slashes.length > 2 ? '' : slashes.at(-1);
  if (!version) found.push(fieldErrors.invalid(`${path}.apiVersion`, apiVersion ?? '', 'version must not be empty'));
  for (const [field, value] of [
    ['kind', kind],
    ['name', name],
    ['uid', uid],
  ] as const) {
    if (!value) found.push(fieldErrors.invalid(`${path}.${field}`, value ?? '', 'must not be empty'));
  }
  if (apiVersion === 'v1' && kind === 'Event')
    found.push(fieldErrors.invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
}

function checkFinalizers(finalizers: readonly string[] | undefined, path: string, found: FieldError[]): void {
  if (!finalizers) return;
  for (const finalizer of finalizers) {
    for (const message of checkQualifiedName(finalizer)) found.push(fieldErrors.invalid(path, finalizer, message));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    found.push(fieldErrors.invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
}

const strictTypes = 'io.k8s.api.';
const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function checkStandardFinalizers(finalizers: readonly string[] | undefined, path: string, found: FieldError[]): void {
  finalizers?.forEach((finalizer, i) => {
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    found.push(fieldErrors.invalid(`${path}[${i}]`, finalizer, detail));
  });
}

/** Longest name of a field manager. */
const managerLengthMax = 128;
const subresourceLengthMax = 256;

function checkManagedFields(entries: readonly ManagedFieldsEntry[], path: string, found: FieldError[]): void {
  entries.forEach((entry, i) => {
    const at = `${path}[${i}]`;
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      found.push(fieldErrors.invalid(`${at}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'));
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      found.push(fieldErrors.invalid(`${at}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    }
    found.push(...validateFieldManager(entry.manager ?? '', `${at}.manager`));
    if ((entry.subresource ?? '').length > subresourceLengthMax) found.push(fieldErrors.tooLong(`${at}.subresource`, subresourceLengthMax));
  });
}

/** What is wrong with the name of a field manager; an empty one means that the server chooses. */
export function validateFieldManager(manager: string, path: string): readonly FieldError[] {
  if (Buffer.byteLength(manager) > managerLengthMax) return [fieldErrors.tooLong(path, managerLengthMax)];
  const found: FieldError[] = [];
  for (const match of manager.matchAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu)) {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const position = Buffer.byteLength(manager.slice(0, match.index));
    found.push(fieldErrors.invalid(path, manager, `invalid character U+${code} (at position ${position})`));
  }
  return found;
}
