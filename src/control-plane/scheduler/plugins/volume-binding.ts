/**
 * A pod waits until the claims of its volumes are bound, and goes only where their volumes can be reached. Claims are
 * bound by others: one whose class waits for its first consumer is bound to no volume here, so no node does for it.
 * What it does not do: choosing volumes for claims, and having some made; limits of volumes per node.
 * Upstream: plugins/volumebinding.
 */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { claimNameOf, classNameOf, isBoundClaim, isMadeFor } from '../../../api/predicates/claims.ts';
import { matchesTerm } from '../../../api/predicates/node-selection.ts';
import { always, defineClusterPlugin, type Rejection, rejectForGood } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';

export interface Volumes {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

const name = 'VolumeBinding';
const unbound = rejectForGood(name, 'pod has unbound immediate PersistentVolumeClaims');
const noVolumeToBind = rejectForGood(name, "node(s) didn't find available persistent volumes to bind");
const volumeGone = rejectForGood(name, 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
const elsewhere = rejectForGood(name, "node(s) didn't match PersistentVolume's node affinity");

export const volumeBinding = (volumes: Volumes) =>
  defineClusterPlugin<readonly PersistentVolumeClaim[], undefined>({
    name,
    scope: 'cluster',
    unblockedBy: {
      'claim-changed': ({ pod }, { claim: { metadata } }) =>
        metadata.namespace === pod.metadata.namespace &&
        (pod.spec.volumes ?? []).some((volume) => claimNameOf(pod, volume) === metadata.name),
      'volumes-changed': always,
      'node-added': always,
      'node-changed': always,
    },
    candidates: (pod) => pod.pod.spec.volumes && whyNowhere(pod, volumes),
    preFilter(pod) {
      const claims = claimsOf(pod, volumes).flatMap(({ claim }) => claim ?? []);
      return claims.length > 0 ? claims : undefined;
    },
    filter(_pod, { node }, claims) {
      for (const claim of claims) {
        if (!isBoundClaim(claim)) return noVolumeToBind;
        const volume = volumes.volume(claim.spec.volumeName ?? '');
        if (!volume) return volumeGone;
        const { required } = volume.spec.nodeAffinity ?? {};
        if (required && !required.nodeSelectorTerms.some((term) => matchesTerm(term, node))) return elsewhere;
      }
      return undefined;
    },
  });

interface PodClaim {
  readonly claimName: string;
  readonly isEphemeral: boolean;
  readonly claim: PersistentVolumeClaim | undefined;
}

function claimsOf({ pod, namespace }: PodFacts, volumes: Volumes): readonly PodClaim[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    const claimName = claimNameOf(pod, volume);
    if (claimName === undefined) return [];
    return { claimName, isEphemeral: volume.ephemeral !== undefined, claim: volumes.claim(namespace, claimName) };
  });
}

/** Why no node does: a claim that can't be used, then one that is not bound. */
function whyNowhere(pod: PodFacts, volumes: Volumes): Rejection | undefined {
  const claims = claimsOf(pod, volumes);
  for (const each of claims) {
    const problem = problemOf(pod, each);
    if (problem !== undefined) return rejectForGood(name, problem);
  }
  return claims.some(({ claim }) => claim && !isBoundClaim(claim) && !waitsForConsumer(claim, volumes)) ? unbound : undefined;
}

function problemOf({ pod, namespace }: PodFacts, { claimName, isEphemeral, claim }: PodClaim): string | undefined {
  if (!claim) {
    const which = `persistentvolumeclaim "${claimName}"`;
    return isEphemeral ? `waiting for ephemeral volume controller to create the ${which}` : `${which} not found`;
  }
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`;
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${claimName}" is being deleted`;
  if (!isEphemeral || isMadeFor(claim, pod)) return undefined;
  return `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`;
}

/** One that names its volume is bound at once, whatever its class. */
const waitsForConsumer = (claim: PersistentVolumeClaim, volumes: Volumes): boolean =>
  !claim.spec.volumeName && volumes.storageClass(classNameOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
