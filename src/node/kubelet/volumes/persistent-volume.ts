/**
 * A PersistentVolume behind a bound claim: hostPath and local ones. Ephemeral volumes are claims that bear the pod's
 * name. Drivers (CSI) are not known.
 * Upstream: pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go, pkg/volume/local/local.go.
 */
import { mkdir } from 'node:fs/promises';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/core-v1.ts';
import { PersistentVolumeClaim as Claim, PersistentVolume as PV } from '../../../api/generated/kinds.ts';
import { messageOf } from '../../../api/meta/status-error.ts';
import { claimNameOf, isBoundClaim, isMadeFor } from '../../../api/predicates/claims.ts';
import { checkHostPath } from './host-path.ts';
import { giveToGroup } from './ownership.ts';
import { fsGroupOf, type ReadyVolume, type SetUpRequest, type VolumeHost, type VolumePlugin } from './volume-plugin.ts';

/** The claim can't be used yet, or not by this pod: what happened before anything was mounted. */
export class ClaimError extends Error {
  override readonly name = 'ClaimError';
}

export const persistentVolumePlugin: VolumePlugin = {
  directory: 'kubernetes.io~persistent-volume',
  supports: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  async setUp(request, host) {
    const claim = await findClaim(request, host);
    const pv = await host.client.get(PV, { name: claim.spec.volumeName ?? '' });
    if (pv.spec.claimRef?.uid !== claim.metadata.uid) {
      throw new ClaimError(`error processing PVC ${describe(claim)}: PV ${pv.metadata.name} is bound to another claim`);
    }
    if (claim.spec.accessModes?.includes('ReadWriteOncePod') && !request.keepAlone(pv.metadata.name))
      throw new Error('volume uses the ReadWriteOncePod access mode and is already in use by another pod');
    const readOnly = request.volume.persistentVolumeClaim?.readOnly ?? false;
    return await setUpVolume(request, host, { pv, readOnly });
  },
};

const describe = (claim: PersistentVolumeClaim): string => `${claim.metadata.namespace}/${claim.metadata.name}`;

async function findClaim({ pod, volume }: SetUpRequest, { client }: VolumeHost): Promise<PersistentVolumeClaim> {
  const { namespace } = pod.metadata;
  const name = claimNameOf(pod, volume) ?? '';
  const fail = (why: string): never => {
    throw new ClaimError(`error processing PVC ${namespace}/${name}: ${why}`);
  };
  const claim = await client.get(Claim, { namespace, name }).catch((error: unknown) => {
    return fail(`failed to fetch PVC from API server: ${messageOf(error)}`);
  });
  if (volume.ephemeral && !isMadeFor(claim, pod))
    return fail(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`);
  if (claim.metadata.deletionTimestamp) return fail('PVC is being deleted');
  if (!isBoundClaim(claim)) return fail('PVC is not bound');
  return claim;
}

async function setUpVolume(
  { pod, dir }: SetUpRequest,
  host: VolumeHost,
  { pv, readOnly }: { readonly pv: PersistentVolume; readonly readOnly: boolean },
): Promise<ReadyVolume> {
  const { hostPath, local, volumeMode } = pv.spec;
  if (hostPath) {
    if (host.mounter) await checkHostPath(hostPath, host.gate);
    return { hostPath: hostPath.path, readOnly };
  }
  if (!local) throw new Error(`no volume plugin matched for volume ${pv.metadata.name}`);
  if (local.path.split('/').includes('..')) throw new Error(`invalid path: ${local.path} must not contain '..'`);
  if (volumeMode === 'Block') return { hostPath: local.path, readOnly, device: local.path };
  const { mounter } = host;
  if (!mounter || (await mounter.isMountPoint(dir))) return { hostPath: dir, readOnly };
  await mkdir(dir, { recursive: true, mode: 0o750 });
  await mounter.bind(local.path, dir, { readOnly });
  const fsGroup = fsGroupOf(pod);
  const policy = pod.spec.securityContext?.fsGroupChangePolicy ?? 'Always';
  if (fsGroup !== undefined && !readOnly) await giveToGroup(dir, { fsGroup, readOnly: false, policy }, host.gate);
  return { hostPath: dir, readOnly };
}
