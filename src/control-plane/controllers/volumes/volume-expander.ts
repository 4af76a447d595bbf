/**
 * Says of bound claims that ask for more than they have that their volume's driver is to enlarge it. Nothing is
 * enlarged here: the volumes that upstream enlarges itself are migrated to drivers or gone.
 * Upstream: pkg/controller/volume/expand.
 */
import { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/kinds.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { compareQuantities } from '../../../api/meta/quantity.ts';
import { isVolumeOf } from '../../../api/predicates/claim-matching.ts';
import { storageRequestOf } from '../../../api/predicates/claims.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';

export const volumeExpander = defineController({
  name: 'persistentvolume-expander-controller',
  serviceAccount: 'expand-controller',
  watches: [
    watched(PersistentVolumeClaim, (claim, old) =>
      old && compareQuantities(storageRequestOf(claim), storageRequestOf(old)) > 0 ? [keyOf(claim)] : [],
    ),
    watched(PersistentVolume, () => []),
  ],
  async reconcile(key, { client, events }) {
    const claim = client.informer(PersistentVolumeClaim).get(key);
    if (claim?.status?.phase !== 'Bound') return;
    const volume = client.informer(PersistentVolume).get(claim.spec.volumeName ?? '');
    if (!volume || !isVolumeOf(volume, claim)) return;
    if (compareQuantities(storageRequestOf(claim), claim.status.capacity?.['storage'] ?? '0') <= 0) return;
    const type = volume.spec.csi || volume.spec.flexVolume ? 'Normal' : 'Warning';
    events.event(claim, type, 'ExternalExpanding', 'waiting for an external controller to expand this PVC');
  },
});
