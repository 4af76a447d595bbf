/**
 * What is next for a claim: a volume to bind it to, somebody to make one, or why it waits. Pure.
 * Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (syncUnboundClaim, syncBoundClaim).
 */
import type { PersistentVolumeClaimStatus } from '../../../api/generated/core-v1.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { bindCompleted, findVolume, isVolumeOf, selectedNode, volumeMismatch } from '../../../api/predicates/claim-matching.ts';
import { classNameOf, hasClass } from '../../../api/predicates/claims.ts';

export interface ClaimView {
  volume(name: string): PersistentVolume | undefined;
  volumes(): Iterable<PersistentVolume>;
  storageClass(name: string): StorageClass | undefined;
  /** of those that name none */
  defaultClass(): StorageClass | undefined;
  /** names of the pods that wait for it, and have no node yet */
  waitingPods(): readonly string[];
}

export interface TellEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type ClaimStep =
  | { readonly do: 'bind'; readonly volume: PersistentVolume }
  | { readonly do: 'wait'; readonly event?: TellEvent | undefined }
  /** for good */
  | { readonly do: 'lose'; readonly event: TellEvent }
  | { readonly do: 'adopt class'; readonly className: string }
  | { readonly do: 'provision'; readonly provisioner: string };

const normal = (reason: string, message: string): TellEvent => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): TellEvent => ({ type: 'Warning', reason, message });

export function planClaim(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  const wasBound = claim.metadata.annotations?.[bindCompleted] !== undefined;
  const named = claim.spec.volumeName;
  if (wasBound) return planBoundClaim(claim, named ? view.volume(named) : undefined);
  return named ? planNamedVolume(claim, view.volume(named)) : planUnboundClaim(claim, view);
}

function planBoundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimStep {
  const lost = (what: string): ClaimStep => ({
    do: 'lose',
    event: warning('ClaimLost', `Bound claim has lost ${what}. Data on the volume is lost!`),
  });
  if (!claim.spec.volumeName) return lost('reference to PersistentVolume');
  if (!volume) return lost('its PersistentVolume');
  const { claimRef } = volume.spec;
  if (!claimRef || claimRef.uid === claim.metadata.uid) return { do: 'bind', volume };
  return { do: 'lose', event: warning('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly') };
}

function planNamedVolume(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimStep {
  if (!volume) return { do: 'wait' };
  const { name } = volume.metadata;
  if (isVolumeOf(volume, claim)) return { do: 'bind', volume };
  if (volume.spec.claimRef) return { do: 'wait', event: warning('FailedBinding', `volume "${name}" already bound to a different claim.`) };
  const why = volumeMismatch(volume, claim);
  if (why === undefined) return { do: 'bind', volume };
  return { do: 'wait', event: warning('VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`) };
}

function planUnboundClaim(claim: PersistentVolumeClaim, view: ClaimView): ClaimStep {
  const className = classNameOf(claim);
  const storageClass = className ? view.storageClass(className) : undefined;
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const volume = findVolume(claim, view.volumes(), { keptOnly: waits });
  if (volume) return { do: 'bind', volume };
  const adopted = hasClass(claim) ? undefined : view.defaultClass()?.metadata.name;
  if (adopted !== undefined) return { do: 'adopt class', className: adopted };
  if (waits && claim.metadata.annotations?.[selectedNode] === undefined) return { do: 'wait', event: tellConsumers(view.waitingPods()) };
  if (!className)
    return { do: 'wait', event: normal('FailedBinding', 'no persistent volumes available for this claim and no storage class is set') };
  if (!storageClass) return { do: 'wait', event: warning('ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`) };
  const { provisioner } = storageClass;
  if (!provisioner.startsWith('kubernetes.io/')) return { do: 'provision', provisioner };
  return { do: 'wait', event: warning('ProvisioningFailed', 'no volume plugin matched') };
}

function tellConsumers(pods: readonly string[]): TellEvent {
  if (pods.length === 0) return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  const names = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(',')}`;
  return normal('WaitForPodScheduled', `waiting for ${names} to be scheduled`);
}

/** The status of a claim: what it has of its volume, or nothing. Once bound, its size is told by who enlarges the volume. */
export function nextClaimStatus(
  claim: PersistentVolumeClaim,
  phase: NonNullable<PersistentVolumeClaimStatus['phase']>,
  volume?: PersistentVolume,
): PersistentVolumeClaimStatus {
  const { accessModes: _, capacity, currentVolumeAttributesClassName: attributes, phase: before, ...others } = claim.status ?? {};
  if (!volume) return { ...others, phase };
  const isNew = before !== phase;
  const { accessModes, capacity: whole, volumeAttributesClassName: own } = volume.spec;
  const size = isNew ? whole : capacity;
  const className = before === 'Pending' && phase === 'Bound' ? own : attributes;
  return {
    ...others,
    phase,
    ...(accessModes && { accessModes }),
    ...(size && { capacity: size }),
    ...(className !== undefined && { currentVolumeAttributesClassName: className }),
  };
}
