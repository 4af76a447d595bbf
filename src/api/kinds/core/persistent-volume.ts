/**
 * PersistentVolume: exactly one source, fixed for good. Upstream: pkg/registry/core/persistentvolume,
 * pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec).
 */

import type { PersistentVolumeSpec } from '../../generated/core-v1.ts';
import { PersistentVolume } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { nameIsDnsSubdomain } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { formatTime } from '../../meta/time.ts';
import { own } from '../../meta/words.ts';
import { addJudged } from '../../schema/rules/walk.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { addInvalid, checkImmutable, checkPositiveQuantity, checkSupported, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { checkAccessModes, volumeModes } from './claim-checks.ts';
import { betaClassKey, formatAccessModes } from './persistent-volume-claim.ts';
import { nodeSelector } from './pod-spec/affinity-checks.ts';
import { type DriverSource, persistentDrivers } from './pod-spec/driver-checks.ts';
import { termWarnings } from './pod-spec/node-label-warnings.ts';

/** In the order in which upstream looks at them. */
const sources: readonly Exclude<DriverSource, 'gitRepo'>[] = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
];
const mountOptionsKey = 'volume.beta.kubernetes.io/mount-options';
/** Volumes that the old annotation works for. */
const withMountOptions: typeof sources = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'rbd',
  'quobyte',
  'iscsi',
  'vsphereVolume',
  'azureFile',
  'nfs',
];
const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];

export const persistentVolume = defineKind(PersistentVolume, {
  returnsDeletedObject: true,
  hooks: {
    prepareForCreate: (object, by) => ({
      ...object,
      status: { phase: 'Pending' as const, ...(by && { lastPhaseTransitionTime: formatTime(by.nowMs) }) },
    }),
    prepareForStatusUpdate(object, old, by) {
      const { status } = object;
      const isSet = status.lastPhaseTransitionTime && status.lastPhaseTransitionTime !== old.status.lastPhaseTransitionTime;
      if (!by || isSet || status.phase === old.status.phase) return object;
      return { ...object, status: { ...status, lastPhaseTransitionTime: formatTime(by.nowMs) } };
    },
    validate,
    validateStatus: (object) => (object.metadata.resourceVersion ? [] : [fieldErrors.required('resourceVersion')]),
    warnings: warningsOf,
    cells,
  },
});

function validate(object: PersistentVolume, old?: PersistentVolume): readonly FieldError[] {
  const errors: Errors = [];
  const { spec } = object;
  const modes = listOf(spec.accessModes);
  if (!modes.length) errors.push(fieldErrors.required('spec.accessModes'));
  checkAccessModes(errors, 'spec.accessModes', modes);
  checkCapacity(errors, spec);
  if (spec.persistentVolumeReclaimPolicy) {
    checkSupported(errors, 'spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, reclaimPolicies);
  }
  checkNodeAffinity(errors, spec);
  checkSources(errors, object);
  checkClasses(errors, spec);
  const { annotations } = object.metadata;
  if (annotations?.[mountOptionsKey] !== undefined && !withMountOptions.some((source) => spec[source])) {
    const message = 'may not specify mount options for this volume type';
    errors.push(fieldErrors.forbidden(`metadata.annotations.${mountOptionsKey}`, message));
  }
  if (old) checkUpdate(errors, spec, old.spec);
  return errors;
}

function checkCapacity(errors: Errors, { capacity = {} }: PersistentVolumeSpec): void {
  const names = Object.keys(capacity);
  if (!names.length) errors.push(fieldErrors.required('spec.capacity'));
  if (names.length !== 1 || names[0] !== 'storage') errors.push(fieldErrors.notSupported('spec.capacity', capacity, ['storage']));
  for (const name of names) checkPositiveQuantity(errors, `spec.capacity[${name}]`, own(capacity, name) ?? '0');
}

function checkNodeAffinity(errors: Errors, { nodeAffinity }: PersistentVolumeSpec): void {
  if (!nodeAffinity) return;
  if (nodeAffinity.required) addJudged(errors, 'spec.nodeAffinity.required', nodeAffinity.required, nodeSelector);
  else errors.push(fieldErrors.required('spec.nodeAffinity.required', 'must specify required node constraints'));
}

function checkSources(errors: Errors, { spec, metadata }: PersistentVolume): void {
  let found = false;
  for (const source of sources) {
    if (spec[source] === undefined) continue;
    if (found && source !== 'flexVolume') {
      errors.push(fieldErrors.forbidden(`spec.${source === 'cephfs' ? 'cephFS' : source}`, 'may not specify more than 1 volume type'));
      continue;
    }
    found = true;
    addJudged(
      errors,
      `spec.${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`,
      spec[source] as never,
      persistentDrivers[source],
    );
    if (source === 'local' && !spec.nodeAffinity) {
      errors.push(fieldErrors.required('spec.nodeAffinity', 'Local volume requires node affinity'));
    }
  }
  if (!found) errors.push(fieldErrors.required('spec', 'must specify a volume type'));
  const { iscsi, hostPath } = spec;
  if (iscsi?.initiatorName !== undefined && `${metadata.name}:${iscsi.targetPortal}`.length > 64) {
    const message = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    errors.push(fieldErrors.invalid('spec.iscsi.targetportal', iscsi.targetPortal, message));
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle' && hostPath && /^\/+$/.test(hostPath.path)) {
    const message = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(fieldErrors.forbidden('spec.persistentVolumeReclaimPolicy', message));
  }
}

function checkClasses(errors: Errors, spec: PersistentVolumeSpec): void {
  const { storageClassName, volumeAttributesClassName: attributes } = spec;
  if (storageClassName) addInvalid(errors, 'spec.storageClassName', storageClassName, nameIsDnsSubdomain(storageClassName, false));
  checkSupported(errors, 'spec.volumeMode', spec.volumeMode, volumeModes);
  if (attributes === undefined) return;
  if (attributes) addInvalid(errors, 'spec.volumeAttributesClassName', attributes, nameIsDnsSubdomain(attributes, false));
  else errors.push(fieldErrors.required('spec.volumeAttributesClassName', 'an empty string is disallowed'));
  if (!spec.csi) errors.push(fieldErrors.required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
}

function checkUpdate(errors: Errors, spec: PersistentVolumeSpec, old: PersistentVolumeSpec): void {
  // a secret for expansion may still be named when there is none
  const mayAddSecret = old.csi && !old.csi.controllerExpandSecretRef;
  const fixed = sources.every((source) => {
    const now = source === 'csi' && spec.csi && mayAddSecret ? omit(spec.csi, 'controllerExpandSecretRef') : spec[source];
    return (now === undefined) === (old[source] === undefined) && equalSemantically(now, old[source]);
  });
  if (!fixed) {
    errors.push(fieldErrors.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  }
  checkImmutable(errors, 'volumeMode', spec.volumeMode, old.volumeMode);
  if (old.nodeAffinity && !equalSemantically(spec.nodeAffinity, old.nodeAffinity)) {
    const message = 'field is immutable, except for updating from beta label to GA';
    errors.push(fieldErrors.invalid('nodeAffinity', spec.nodeAffinity ?? null, message));
  }
  if (old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    errors.push(fieldErrors.forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
}

function cells(object: PersistentVolume, at: CellContext): readonly Cell[] {
  const { spec, status, metadata } = object;
  return [
    metadata.name,
    spec.capacity?.storage ?? '0',
    formatAccessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
    spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
    metadata.annotations?.[betaClassKey] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    status.reason ?? '',
    ageOf(object, at),
    spec.volumeMode ?? '<unset>',
  ];
}

const oldAnnotations: Readonly<Record<string, string>> = {
  'volume.beta.kubernetes.io/storage-class': 'deprecated since v1.8; use "storageClassName" attribute instead',
  [mountOptionsKey]: 'deprecated since v1.31; use "mountOptions" attribute instead',
};
const oldSources: readonly (readonly [keyof PersistentVolumeSpec, string, string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

function warningsOf({ metadata, spec }: PersistentVolume): readonly string[] {
  const annotations = metadata.annotations ?? {};
  const recycled = 'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.';
  return [
    ...Object.entries(oldAnnotations).flatMap(([key, message]) =>
      Object.hasOwn(annotations, key) ? [`metadata.annotations[${key}]: ${message}`] : [],
    ),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle' ? [`spec.persistentVolumeReclaimPolicy: ${recycled}`] : []),
    ...listOf(spec.nodeAffinity?.required?.nodeSelectorTerms).flatMap((term, i) =>
      termWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${i}]`, term, false),
    ),
    ...oldSources.flatMap(([field, called, message]) => (spec[field] === undefined ? [] : [`spec.${called}: ${message}`])),
  ];
}
