/**
 * What is next for a volume: free, bound, or released and reclaimed by its policy. Pure. Those of provisioners are
 * deleted by them; here they are only told to be released.
 * Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (syncVolume, reclaimVolume).
 */
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/kinds.ts';
import { boundByController, hasSameMode, provisionedBy } from '../../../api/predicates/claim-matching.ts';
import type { TellEvent } from './plan-claim.ts';

type Phase = 'Available' | 'Bound' | 'Released' | 'Failed';

export interface VolumeStep {
  readonly phase?: Phase | undefined;
  readonly event?: TellEvent | undefined;
  /** told to its claim */
  readonly claimEvent?: TellEvent | undefined;
  /** what its binding becomes: none, or one that waits for a claim of that name */
  readonly unbind?: 'free' | 'kept' | undefined;
}

/** `claim`: the one that the volume is bound to, by its uid; undefined: it is gone. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec;
  if (!claimRef?.uid) return { phase: 'Available' };
  if (!claim) return planReclaim(volume);
  if (claim.spec.volumeName === volume.metadata.name) return { phase: 'Bound' };
  if (!claim.spec.volumeName) return hasSameMode(volume, claim) ? {} : tellMismatch(volume, claim);
  const annotations = volume.metadata.annotations ?? {};
  if (annotations[provisionedBy] !== undefined && policy === 'Delete') return planReclaim(volume);
  return { unbind: annotations[boundByController] === undefined ? 'kept' : 'free', phase: 'Available' };
}

function tellMismatch({ metadata }: PersistentVolume, claim: PersistentVolumeClaim): VolumeStep {
  const mismatch = (message: string): TellEvent => ({ type: 'Warning', reason: 'VolumeMismatch', message });
  return {
    event: mismatch(
      `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
    ),
    claimEvent: mismatch(
      `Cannot bind PersistentVolume "${metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
    ),
  };
}

function planReclaim({ metadata, spec, status }: PersistentVolume): VolumeStep {
  const failed = (reason: string, message: string): VolumeStep => ({ phase: 'Failed', event: { type: 'Warning', reason, message } });
  if (status?.phase !== 'Released' && status?.phase !== 'Failed') return { phase: 'Released' };
  switch (spec.persistentVolumeReclaimPolicy) {
    case 'Delete': {
      const isOthers = spec.csi !== undefined || !(metadata.annotations?.[provisionedBy] ?? 'kubernetes.io/').startsWith('kubernetes.io/');
      const message = `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
      return isOthers ? {} : failed('VolumeFailedDelete', message);
    }
    case 'Recycle':
      return failed('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    default:
      return {};
  }
}
