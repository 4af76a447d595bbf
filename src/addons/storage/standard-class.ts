/** The class that claims get which name none: volumes are made where their first pod goes, grow, and go with their claim. */
import type { StorageClass } from '../../api/generated/kinds.ts';
import type { New } from '../../api/meta/object.ts';
import { isDefaultStorageClass } from '../../api/predicates/default-class.ts';

/** As classes and volumes name who makes them. */
export const directoryProvisioner = 'timonier.dev/directory';

export const standardClass: New<StorageClass> = {
  metadata: { name: 'standard', annotations: { [isDefaultStorageClass]: 'true' } },
  provisioner: directoryProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};
