/**
 * PersistentVolume: exactly one source, fixed for good. Upstream: pkg/registry/core/persistentvolume,
 * pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec).
 */

import type { PersistentVolumeSpec, VolumeNodeAffinity } from '../../generated/core-v1.ts';
import { PersistentVolume } from '../../generated/kinds.ts';
import { equalSemantically } from '../../meta/deep-equal.ts';
import type { Cell } from '../../meta/kind.ts';
import { formatTime } from '../../meta/time.ts';
import {
  all,
  eachValue,
  evenAbsent,
  fields,
  filled,
  immutable,
  oneOf,
  optional,
  positiveQuantity,
  required,
} from '../../schema/rules/rules.ts';
import type { Rule, Walk } from '../../schema/rules/walk.ts';
import { ageOf, type CellContext } from '../cells.ts';
import { defineKind } from '../define-kind.ts';
import { listOf } from '../lists.ts';
import { omit } from '../set-defaults.ts';
import { subdomainName } from '../shared-rules.ts';
import { accessModes, volumeMode } from './claim-checks.ts';
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
    rules,
    statusRules: ({ metadata }, walk) => {
      if (!metadata.resourceVersion) walk.required('resourceVersion');
    },
    warnings: warningsOf,
    cells,
  },
});

const moreThanZero = positiveQuantity('must be greater than zero');

const capacity: Rule<Readonly<Record<string, string>>> = evenAbsent((given = {}, walk) => {
  const names = Object.keys(given);
  if (!names.length) walk.required('');
  if (names.length !== 1 || names[0] !== 'storage') walk.notSupported('', given, ['storage']);
  eachValue(moreThanZero)(given, walk, undefined);
});

const spec = fields<PersistentVolumeSpec>({
  accessModes: required(accessModes),
  capacity,
  persistentVolumeReclaimPolicy: filled(oneOf('Delete', 'Recycle', 'Retain')),
  nodeAffinity: fields<VolumeNodeAffinity>({ required: required(nodeSelector, 'must specify required node constraints') }),
});
const classes = all<PersistentVolumeSpec>(
  fields({
    storageClassName: filled(subdomainName),
    volumeMode,
    volumeAttributesClassName: optional(required(subdomainName, 'an empty string is disallowed')),
  }),
  ({ volumeAttributesClassName, csi }, walk) => {
    if (volumeAttributesClassName === undefined || csi) return;
    walk.required('csi', 'has to be specified when using volumeAttributesClassName');
  },
);

function rules(object: PersistentVolume, walk: Walk, old: PersistentVolume | undefined): void {
  walk.check('spec', object.spec, spec);
  checkSources(object, walk);
  walk.check('spec', object.spec, classes);
  const { annotations } = object.metadata;
  if (annotations?.[mountOptionsKey] !== undefined && !withMountOptions.some((source) => object.spec[source])) {
    walk.forbidden(`metadata.annotations.${mountOptionsKey}`, 'may not specify mount options for this volume type');
  }
  if (old) checkUpdate(object.spec, walk, old.spec);
}

function checkSources({ spec: given, metadata }: PersistentVolume, walk: Walk): void {
  let found = false;
  for (const source of sources) {
    if (given[source] === undefined) continue;
    if (found && source !== 'flexVolume') {
      walk.forbidden(`spec.${source === 'cephfs' ? 'cephFS' : source}`, 'may not specify more than 1 volume type');
      continue;
    }
    found = true;
    walk.check(`spec.${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`, given[source] as never, persistentDrivers[source]);
    if (source === 'local' && !given.nodeAffinity) walk.required('spec.nodeAffinity', 'Local volume requires node affinity');
  }
  if (!found) walk.required('spec', 'must specify a volume type');
  const { iscsi, hostPath } = given;
  if (iscsi?.initiatorName !== undefined && `${metadata.name}:${iscsi.targetPortal}`.length > 64) {
    const message = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    walk.invalid('spec.iscsi.targetportal', iscsi.targetPortal, message);
  }
  if (given.persistentVolumeReclaimPolicy === 'Recycle' && hostPath && /^\/+$/.test(hostPath.path)) {
    walk.forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'");
  }
}

const lastingMode = fields<PersistentVolumeSpec>({ volumeMode: immutable() });

function checkUpdate(now: PersistentVolumeSpec, walk: Walk, old: PersistentVolumeSpec): void {
  // a secret for expansion may still be named when there is none
  const mayAddSecret = old.csi && !old.csi.controllerExpandSecretRef;
  const fixed = sources.every((source) => {
    const given = source === 'csi' && now.csi && mayAddSecret ? omit(now.csi, 'controllerExpandSecretRef') : now[source];
    return (given === undefined) === (old[source] === undefined) && equalSemantically(given, old[source]);
  });
  if (!fixed) walk.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation');
  lastingMode(now, walk, old);
  if (old.nodeAffinity && !equalSemantically(now.nodeAffinity, old.nodeAffinity)) {
    walk.invalid('nodeAffinity', now.nodeAffinity ?? null, 'field is immutable, except for updating from beta label to GA');
  }
  if (old.volumeAttributesClassName !== undefined && now.volumeAttributesClassName === undefined) {
    walk.forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden');
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
