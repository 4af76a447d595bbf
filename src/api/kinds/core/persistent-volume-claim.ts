/**
 * PersistentVolumeClaim: what it asks for is fixed, but that a bound claim may ask for more, or another class of
 * attributes. Upstream: pkg/registry/core/persistentvolumeclaim, pkg/apis/core/validation/validation.go.
 */

import type { PersistentVolumeClaimSpec } from '../../generated/core-v1.ts';
import { PersistentVolumeClaim } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import { fields, immutable } from '../../schema/rules/rules.ts';
import type { Walk } from '../../schema/rules/walk.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { fractionWarnings } from '../quantity-warnings.ts';
import { omit } from '../set-defaults.ts';
import { claimSpec, shrinks } from './claim-checks.ts';

export const betaClassKey = 'volume.beta.kubernetes.io/storage-class';

export const persistentVolumeClaim = defineKind(PersistentVolumeClaim, {
  returnsDeletedObject: true,
  hooks: {
    prepareForCreate: (object) => ({ ...object, spec: withBothDataSources(object.spec), status: { phase: 'Pending' as const } }),
    prepareForUpdate: (object) => ({ ...object, spec: withBothDataSources(object.spec) }),
    rules,
    statusRules,
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

const fresh = claimSpec();
const lenient = claimSpec(true);
const lastingMode = fields<PersistentVolumeClaimSpec>({ volumeMode: immutable() });

function rules(object: PersistentVolumeClaim, walk: Walk, old: PersistentVolumeClaim | undefined): void {
  const hadGroup = old?.spec.dataSource?.apiGroup !== undefined || old?.spec.dataSourceRef?.apiGroup !== undefined;
  walk.check('spec', object.spec, hadGroup ? lenient : fresh);
  if (old) checkUpdate(object, walk, old);
}

function checkUpdate(object: PersistentVolumeClaim, walk: Walk, old: PersistentVolumeClaim): void {
  const [now, before] = [object.metadata.annotations?.[betaClassKey], old.metadata.annotations?.[betaClassKey]];
  const { storageClassName: name, volumeAttributesClassName: attributes } = object.spec;
  const adoptsAnnotation = before !== undefined && old.spec.storageClassName === undefined && name === before && (now ?? before) === before;
  if (!adoptsAnnotation && now !== before) walk.invalid(`metadata.annotations.${betaClassKey}`, now ?? '', 'field is immutable');
  const allowed = withoutAllowedChanges(object, old, adoptsAnnotation || before === undefined || name === before);
  if (!equalSemantically(allowed, withoutName(old.spec, !old.spec.volumeName))) {
    walk.forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims');
  }
  const wanted = object.spec.resources?.requests?.storage ?? '0';
  if (shrinks(object.spec, old.spec) && compareQuantities(wanted, old.status.capacity?.storage ?? '0') <= 0) {
    walk.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
  }
  lastingMode(object.spec, walk, old.spec);
  const isChanged = attributes !== old.spec.volumeAttributesClassName;
  if (!isChanged || old.status.currentVolumeAttributesClassName === undefined || attributes) return;
  const what = attributes === undefined ? 'nil' : 'empty string';
  const message = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  walk.forbidden('spec.volumeAttributesClassName', message);
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

function statusRules({ metadata, spec, status }: PersistentVolumeClaim, walk: Walk): void {
  if (!metadata.resourceVersion) walk.required('resourceVersion');
  if (!spec.accessModes?.length) walk.required('Spec.accessModes');
  for (const [name, quantity] of Object.entries(status.capacity ?? {})) {
    if (compareQuantities(quantity, '0') < 0) walk.invalid(`status.capacity[${name}]`, quantity, 'must be a valid resource quantity');
  }
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
