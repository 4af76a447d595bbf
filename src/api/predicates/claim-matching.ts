/**
 * Which volume does for a claim: what binds them, and the scheduler, ask the same. The smallest that is large enough
 * wins, of those with the fewest access modes; one that is kept for the claim goes before all.
 * Upstream: component-helpers/storage/volume/pv_helpers.go, pkg/controller/volume/persistentvolume/index.go.
 */
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../generated/kinds.ts';
import { compareQuantities } from '../meta/quantity.ts';
import { labelMatcher } from '../meta/selectors.ts';
import { classNameOf, storageRequestOf } from './claims.ts';
import { matchesTerm } from './node-selection.ts';

/** On claims and volumes: who bound them was a controller, not a person. */
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
/** On claims: they were bound once. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
/** On claims whose class waits for a consumer: where that one is to run. */
export const selectedNode = 'volume.kubernetes.io/selected-node';
/** On claims: who is to make a volume. */
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner';
/** On volumes: who made it. */
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';
/** The provisioner of a class whose volumes somebody makes by hand. */
export const noProvisioner = 'kubernetes.io/no-provisioner';
/** On volumes of provisioners: their data is there yet. */
export const provisionerFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer';

const capacityOf = ({ spec }: PersistentVolume): string => spec.capacity?.['storage'] ?? '0';
const modeOf = ({ spec }: PersistentVolume | PersistentVolumeClaim): string => spec.volumeMode ?? 'Filesystem';
const isLeaving = ({ metadata }: PersistentVolume): boolean => metadata.deletionTimestamp !== undefined;

export const hasSameMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean => modeOf(volume) === modeOf(claim);

export const volumeClassOf = ({ metadata, spec }: PersistentVolume): string =>
  metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '';

/** Bound to it, or kept for it. */
export function isVolumeOf({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** How a volume names it. */
export const claimRefOf = ({ metadata }: PersistentVolumeClaim) => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    name,
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  };
};

/** As it is bound to the claim; one that somebody kept for it is not marked. */
export function withClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { metadata, spec } = volume;
  const annotations = isVolumeOf(volume, claim) ? metadata.annotations : { ...metadata.annotations, [boundByController]: 'yes' };
  return { ...volume, metadata: { ...metadata, ...(annotations && { annotations }) }, spec: { ...spec, claimRef: claimRefOf(claim) } };
}

export function reachesVolume(node: Pick<Node, 'metadata'>, { spec }: PersistentVolume): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || terms.some((term) => matchesTerm(term, node));
}

const hasModes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));

const hasSameAttributes = ({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (spec.volumeAttributesClassName ?? '') === (claim.spec.volumeAttributesClassName ?? '');

/** What is wrong with a volume that a claim names; undefined: nothing. */
export function volumeMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (isLeaving(volume)) return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (compareQuantities(capacityOf(volume), storageRequestOf(claim)) < 0) return 'requested PV is too small';
  if (volumeClassOf(volume) !== classNameOf(claim)) return 'storageClassName does not match';
  if (!hasSameAttributes(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!hasSameMode(volume, claim)) return 'incompatible volumeMode';
  return hasModes(volume, claim) ? undefined : 'incompatible accessMode';
}

export interface VolumeSearch {
  /** where it has to be reachable from; absent: anywhere */
  readonly node?: Pick<Node, 'metadata'> | undefined;
  /** those that are kept for the claim alone: a free one is the scheduler's to choose */
  readonly keptOnly?: boolean | undefined;
  /** names of those that are taken */
  readonly taken?: ReadonlySet<string> | undefined;
}

export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  { node, keptOnly, taken }: VolumeSearch = {},
): PersistentVolume | undefined {
  const selector = claim.spec.selector && labelMatcher(claim.spec.selector);
  const className = classNameOf(claim);
  const isFree = (volume: PersistentVolume): boolean =>
    volume.status?.phase === 'Available' &&
    (!selector || selector.matches(volume.metadata.labels)) &&
    volumeClassOf(volume) === className &&
    hasModes(volume, claim);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    const isKept = isVolumeOf(volume, claim);
    if ((volume.spec.claimRef && !isKept) || taken?.has(volume.metadata.name)) continue;
    if (isLeaving(volume) || !hasSameMode(volume, claim)) continue;
    if (compareQuantities(capacityOf(volume), storageRequestOf(claim)) < 0 || !hasSameAttributes(volume, claim)) continue;
    if (isKept && hasModes(volume, claim)) return !node || reachesVolume(node, volume) ? volume : undefined;
    if (isKept || keptOnly || !isFree(volume) || (node && !reachesVolume(node, volume))) continue;
    if (!best || compareFit(volume, best) < 0) best = volume;
  }
  return best;
}

function compareFit(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (a.spec.accessModes ?? []).length - (b.spec.accessModes ?? []).length;
  return modes || compareQuantities(capacityOf(a), capacityOf(b));
}
