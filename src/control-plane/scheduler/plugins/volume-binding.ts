/**
 * A pod waits until the claims of its volumes are bound, and goes only where their volumes can be reached. Claims whose
 * class waits for its first consumer are bound with the pod: to volumes that are there, or to such as are made where the
 * pod is to run. Until that is done, or has failed, what was chosen is held for the pod.
 * What it does not do: storage capacity of drivers.
 * Upstream: plugins/volumebinding.
 */
import type { PersistentVolumeClaim } from '../../../api/generated/kinds.ts';
import { claimNameOf, classNameOf, isBoundClaim, isMadeFor } from '../../../api/predicates/claims.ts';
import { always, defineClusterPlugin, type Rejection, type Reservation, rejectForGood } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';
import { type PodVolumes, planPodVolumes, type Volumes } from './plan-pod-volumes.ts';

/** Volumes that can be held for a pod. */
export interface BindableVolumes extends Volumes {
  reserve(planned: PodVolumes, nodeName: string): Reservation;
}

const name = 'VolumeBinding';
const unbound = rejectForGood(name, 'pod has unbound immediate PersistentVolumeClaims');
export const volumeBinding = (volumes: BindableVolumes) =>
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
      const planned = planPodVolumes(claims, node, volumes);
      return 'reasons' in planned ? rejectForGood(name, ...planned.reasons) : undefined;
    },
    reserve(pod, { node, name: nodeName }) {
      const claims = claimsOf(pod, volumes).flatMap(({ claim }) => claim ?? []);
      if (claims.every(isBoundClaim)) return undefined;
      const planned = planPodVolumes(claims, node, volumes);
      return 'reasons' in planned ? undefined : volumes.reserve(planned, nodeName);
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
