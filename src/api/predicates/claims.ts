/** The claims of a pod's volumes, and whether one can be used. */
import type { PersistentVolumeClaim, Pod, Volume } from '../generated/core-v1.ts';
import type { ObjectKey } from '../meta/object.ts';

/** Undefined for a volume without a claim. A generic ephemeral volume has one that is made for it, and bears its name. */
export const claimNameOf = (pod: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral && `${pod.metadata.name}-${name}`);

/** The keys of the claims that a pod names, and of those made for it. */
export const claimKeysOf = (pod: Pod): readonly ObjectKey[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => {
    const name = claimNameOf(pod, volume);
    return name ? [`${pod.metadata.namespace}/${name}`] : [];
  });

/** It names its volume, and whoever binds claims has said that the volume is its own. */
export const isBoundClaim = ({ spec, status }: PersistentVolumeClaim): boolean => status?.phase === 'Bound' && !!spec.volumeName;

/** Bytes that it asks for, as a quantity. */
export const storageRequestOf = ({ spec }: PersistentVolumeClaim): string => spec?.resources?.requests?.['storage'] ?? '0';

/** The annotation of old goes first. */
export const classNameOf = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '';

/** Whether somebody has said of which class it is, were it of none. */
export const hasClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  spec?.storageClassName !== undefined || metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined;

/** False: another pod had its name before, or somebody made the claim himself. */
export const isMadeFor = ({ metadata }: PersistentVolumeClaim, pod: Pod): boolean =>
  metadata.ownerReferences?.some(({ uid, controller }) => uid === pod.metadata.uid && controller) ?? false;
