/**
 * Checks of what a persistent volume claim asks for, alone and as a template inside other objects.
 * Upstream: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec).
 */
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../generated/core-v1.ts';
import type { ObjectMeta } from '../../generated/meta-v1.ts';
import { checkDns1123Subdomain, nameIsDnsLabel, nameIsDnsSubdomain } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { fieldErrors } from '../../meta/status-error.ts';
import {
  addInvalid,
  checkAnnotations,
  checkLabels,
  checkPositiveQuantity,
  checkPresent,
  checkSelector,
  checkSupported,
  type Errors,
} from '../checks.ts';
import { listOf } from '../lists.ts';

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
export const volumeModes = ['Block', 'Filesystem'];

export function checkAccessModes(errors: Errors, path: string, modes: readonly string[]): void {
  for (const mode of modes) checkSupported(errors, path, mode, accessModes);
  const once = modes.includes('ReadWriteOncePod');
  if (once && modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))) {
    errors.push(fieldErrors.forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  }
}

export function checkClaimSpec(errors: Errors, path: string, spec: PersistentVolumeClaimSpec, anyGroup = false): void {
  if (!spec.accessModes?.length) errors.push(fieldErrors.required(`${path}.accessModes`, 'at least 1 access mode is required'));
  checkSelector(errors, `${path}.selector`, spec.selector);
  checkAccessModes(errors, `${path}.accessModes`, listOf(spec.accessModes));
  const storage = spec.resources?.requests?.storage;
  if (checkPresent(errors, `${path}.resources[storage]`, storage)) {
    checkPositiveQuantity(errors, `${path}.resources[storage]`, storage ?? '0');
  }
  checkClassName(errors, `${path}.storageClassName`, spec.storageClassName);
  checkSupported(errors, `${path}.volumeMode`, spec.volumeMode, volumeModes);
  checkDataSources(errors, path, spec, anyGroup);
  checkClassName(errors, `${path}.volumeAttributesClassName`, spec.volumeAttributesClassName);
}

function checkClassName(errors: Errors, path: string, name: string | undefined): void {
  if (name) addInvalid(errors, path, name, nameIsDnsSubdomain(name, false));
}

function checkDataSources(errors: Errors, path: string, spec: PersistentVolumeClaimSpec, anyGroup: boolean): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource) checkDataSource(errors, `${path}.dataSource`, dataSource, anyGroup);
  if (!dataSourceRef) return;
  checkDataSource(errors, `${path}.dataSourceRef`, dataSourceRef, anyGroup);
  const { namespace } = dataSourceRef;
  if (namespace) addInvalid(errors, `${path}.dataSourceRef.namespace`, namespace, nameIsDnsLabel(namespace, false));
  if (!dataSource) return;
  if (namespace) errors.push(fieldErrors.invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'));
  else if (['apiGroup', 'kind', 'name'].some((f) => dataSource[f as 'kind'] !== dataSourceRef[f as 'kind'])) {
    errors.push(fieldErrors.invalid(path, {}, 'must match dataSourceRef'));
  }
}

function checkDataSource(errors: Errors, path: string, source: TypedLocalObjectReference | TypedObjectReference, anyGroup: boolean): void {
  checkPresent(errors, `${path}.name`, source.name);
  checkPresent(errors, `${path}.kind`, source.kind);
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    errors.push(fieldErrors.invalid(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (source.apiGroup && !anyGroup) addInvalid(errors, `${path}.apiGroup`, source.apiGroup, checkDns1123Subdomain(source.apiGroup));
}

/** A template may carry labels and annotations, nothing else of an object's metadata. */
export function checkClaimTemplate(errors: Errors, path: string, template: PersistentVolumeClaimTemplate): void {
  const metadata: ObjectMeta = template.metadata ?? {};
  checkAnnotations(errors, `${path}.metadata.annotations`, metadata.annotations);
  checkLabels(errors, `${path}.metadata.labels`, metadata.labels);
  for (const field in metadata) {
    if (field !== 'annotations' && field !== 'labels') errors.push(fieldErrors.forbidden(`${path}.metadata.${field}`, 'cannot be set'));
  }
  checkClaimSpec(errors, `${path}.spec`, template.spec);
}

/** Whether `now` asks for less storage than `old`. */
export const shrinks = (now: PersistentVolumeClaimSpec, old: PersistentVolumeClaimSpec): boolean =>
  compareQuantities(now.resources?.requests?.storage ?? '0', old.resources?.requests?.storage ?? '0') < 0;
