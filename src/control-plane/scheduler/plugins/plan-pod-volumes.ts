/**
 * What a pod's claims come to on a node: volumes to bind them to, and claims that get a volume made there. Pure.
 * Of several claims the smallest chooses first, and no volume is chosen twice.
 * Upstream: plugins/volumebinding/binder.go (FindPodVolumes).
 */
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { compareQuantities } from '../../../api/meta/quantity.ts';
import { findVolume, noProvisioner, reachesVolume, selectedNode } from '../../../api/predicates/claim-matching.ts';
import { classNameOf, isBoundClaim, storageRequestOf } from '../../../api/predicates/claims.ts';
import { isInTopologies } from '../../../api/predicates/node-selection.ts';

/** As the scheduler sees them: with what it has decided and not written yet. */
export interface Volumes {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumesOfClass(className: string): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

export interface VolumeBinding {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

export interface PodVolumes {
  readonly bindings: readonly VolumeBinding[];
  readonly provisions: readonly PersistentVolumeClaim[];
}

export const bindReasons = {
  nodeConflict: "node(s) didn't match PersistentVolume's node affinity",
  bindConflict: "node(s) didn't find available persistent volumes to bind",
  volumeGone: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const;

/** Reasons: why the node does not do. */
export function planPodVolumes(
  claims: readonly PersistentVolumeClaim[],
  node: Node,
  volumes: Volumes,
): PodVolumes | { readonly reasons: readonly string[] } {
  const bound = claims.filter(isBoundClaim);
  const isGone = bound.some(({ spec }) => !volumes.volume(spec.volumeName ?? ''));
  const isElsewhere = bound.some(({ spec }) => {
    const volume = volumes.volume(spec.volumeName ?? '');
    return volume && !reachesVolume(node, volume);
  });
  const planned = planUnbound(
    claims.filter((claim) => !isBoundClaim(claim)),
    node,
    volumes,
  );
  const reasons = [
    ...(isElsewhere ? [bindReasons.nodeConflict] : []),
    ...(planned ? [] : [bindReasons.bindConflict]),
    ...(isGone && !isElsewhere ? [bindReasons.volumeGone] : []),
  ];
  return planned && reasons.length === 0 ? planned : { reasons };
}

function planUnbound(claims: readonly PersistentVolumeClaim[], node: Node, volumes: Volumes): PodVolumes | undefined {
  const bindings: VolumeBinding[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  for (const claim of claims.toSorted((a, b) => compareQuantities(storageRequestOf(a), storageRequestOf(b)))) {
    const chosen = claim.metadata.annotations?.[selectedNode];
    if (chosen !== undefined && chosen !== node.metadata.name) return undefined;
    const volume = chosen === undefined ? findVolume(claim, volumes.volumesOfClass(classNameOf(claim)), { node, taken }) : undefined;
    if (volume) {
      taken.add(volume.metadata.name);
      bindings.push({ claim, volume });
    } else if (canProvision(volumes.storageClass(classNameOf(claim)), node)) provisions.push(claim);
    else return undefined;
  }
  return { bindings, provisions };
}

const canProvision = (storageClass: StorageClass | undefined, node: Node): boolean =>
  storageClass !== undefined && storageClass.provisioner !== noProvisioner && isInTopologies(node, storageClass.allowedTopologies);
