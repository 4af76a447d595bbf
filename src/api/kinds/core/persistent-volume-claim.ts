/**
 * PersistentVolumeClaim: what it asks for is fixed, but that a bound claim may ask for more, or another class of
 * attributes. Upstream: pkg/registry/core/persistentvolumeclaim, pkg/apis/core/validation/validation.go.
 */

import type { PersistentVolumeClaimSpec } from '../../generated/core-v1.ts';
import { PersistentVolumeClaim } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { checkImmutable, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { fractionWarnings } from '../quantity-warnings.ts';
import { omit } from '../set-defaults.ts';
import { checkClaimSpec, shrinks } from './claim-checks.ts';

export const betaClassKey = 'volume.beta.kubernetes.io/storage-class';

export const persistentVolumeClaim = defineKind(PersistentVolumeClaim, {
  returnsDeletedObject: true,
  hooks: {
    prepareForCreate: (object) => ({ ...object, spec: withBothDataSources(object.spec), status: { phase: 'Pending' as const } }),
    prepareForUpdate: (object) => ({ ...object, spec: withBothDataSources(object.spec) }),
    validate,
    validateStatus,
    warnings({ metadata, spec }) {
      const { requests, limits } = spec.resources ?? {};
      return [
        ...(metadata.annotations?.[betaClassKey] === undefined
          ? []
          : [`metadata.annotations[${betaClassKey}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
        ...fractionWarnings('spec.resources.requests', requests),
        ...fractionWarnings('spec.resources.limits', limits),
      ];
    },
    cells,
  },
});

/** A data source of the old field shows in the new one too, and the other way round; the old one takes only two kinds. */
function withBothDataSources(given: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef } = given;
  const known =
    (dataSource?.kind === 'PersistentVolumeClaim' && !dataSource.apiGroup) ||
    (dataSource?.kind === 'VolumeSnapshot' && dataSource.apiGroup === 'snapshot.storage.k8s.io');
  const spec = dataSource && !dataSourceRef && !known ? omit(given, 'dataSource') : given;
  if (spec.dataSource && !dataSourceRef) return { ...spec, dataSourceRef: spec.dataSource };
  if (!dataSource && dataSourceRef && !dataSourceRef.namespace) return { ...spec, dataSource: omit(dataSourceRef, 'namespace') };
  return spec;
}

function validate(object: PersistentVolumeClaim, old?: PersistentVolumeClaim): readonly FieldError[] {
  const errors: Errors = [];
  const hadGroup = old !== undefined && (old.spec.dataSource?.apiGroup !== undefined || old.spec.dataSourceRef?.apiGroup !== undefined);
  checkClaimSpec(errors, 'spec', object.spec, hadGroup);
  if (old) checkUpdate(errors, object, old);
  return errors;
}

function checkUpdate(errors: Errors, object: PersistentVolumeClaim, old: PersistentVolumeClaim): void {
  const [now, before] = [object.metadata.annotations?.[betaClassKey], old.metadata.annotations?.[betaClassKey]];
  const { storageClassName: name } = object.spec;
  const adoptsAnnotation = before !== undefined && old.spec.storageClassName === undefined && name === before && (now ?? before) === before;
  if (!adoptsAnnotation && now !== before) {
    errors.push(fieldErrors.invalid(`metadata.annotations.${betaClassKey}`, now ?? '', 'field is immutable'));
  }
  const allowed = withoutAllowedChanges(object, old, adoptsAnnotation || before === undefined || name === before);
  if (!equalSemantically(allowed, withoutName(old.spec, !old.spec.volumeName))) {
    const message = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(fieldErrors.forbidden('spec', message));
  }
  const wanted = object.spec.resources?.requests?.storage ?? '0';
  if (shrinks(object.spec, old.spec) && compareQuantities(wanted, old.status.capacity?.storage ?? '0') <= 0) {
    errors.push(fieldErrors.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  checkImmutable(errors, 'volumeMode', object.spec.volumeMode, old.spec.volumeMode);
  const [attributes, oldAttributes] = [object.spec.volumeAttributesClassName, old.spec.volumeAttributesClassName];
  if (attributes === oldAttributes || old.status.currentVolumeAttributesClassName === undefined || attributes) return;
  const what = attributes === undefined ? 'nil' : 'empty string';
  const message = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  errors.push(fieldErrors.forbidden('spec.volumeAttributesClassName', message));
}

const withoutName = (spec: PersistentVolumeClaimSpec, nameMayChange: boolean): PersistentVolumeClaimSpec =>
  nameMayChange ? omit(spec, 'volumeName') : spec;

/** The spec with everything that may change put back to what it was. */
function withoutAllowedChanges(
  object: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  classMayBeSet: boolean,
): PersistentVolumeClaimSpec {
  let spec = withoutName(object.spec, !old.spec.volumeName);
  if (classMayBeSet && old.spec.storageClassName === undefined) spec = omit(spec, 'storageClassName');
  if (object.status.phase !== 'Bound') return spec;
  const storage = old.spec.resources?.requests?.storage;
  const requests = { ...spec.resources?.requests, ...(storage !== undefined && { storage }) };
  const oldClass = old.spec.volumeAttributesClassName;
  return {
    ...omit(spec, 'volumeAttributesClassName'),
    resources: { ...spec.resources, requests },
    ...(oldClass !== undefined && { volumeAttributesClassName: oldClass }),
  };
}

function validateStatus(object: PersistentVolumeClaim): readonly FieldError[] {
  const errors: Errors = [];
  if (!object.metadata.resourceVersion) errors.push(fieldErrors.required('resourceVersion'));
  if (!object.spec.accessModes?.length) errors.push(fieldErrors.required('Spec.accessModes'));
  for (const [name, quantity] of Object.entries(object.status.capacity ?? {})) {
    if (compareQuantities(quantity, '0') >= 0) continue;
    errors.push(fieldErrors.invalid(`status.capacity[${name}]`, quantity, 'must be a valid resource quantity'));
  }
  return errors;
}

const shortModes = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' } as const;

/** `RWO,ROX`: always in this order. */
export const formatAccessModes = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, text]) => text)
    .join(',');

function cells(object: PersistentVolumeClaim, at: CellContext): readonly Cell[] {
  const { spec, status, metadata } = object;
  const bound = !!spec.volumeName;
  return [
    metadata.name,
    metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
    spec.volumeName ?? '',
    bound ? (status.capacity?.storage ?? '0') : '',
    bound ? formatAccessModes(listOf(status.accessModes)) : '',
    metadata.annotations?.[betaClassKey] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    ageOf(object, at),
    spec.volumeMode ?? '<unset>',
  ];
}
