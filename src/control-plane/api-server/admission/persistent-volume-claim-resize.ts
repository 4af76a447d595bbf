/**
 * A claim grows only when it is bound and its storage class allows it.
 * Upstream: plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
 */

import { PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { compareQuantities } from '../../../api/meta/quantity.ts';
import { classNameOf, storageRequestOf } from '../../../api/predicates/claims.ts';
import type { ObjectReader } from '../cache/reader.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';

export const persistentVolumeClaimResize = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  handles: (kind, operation, subresource) => isKind(kind, PersistentVolumeClaim) && operation === 'UPDATE' && !subresource,
  validate(request) {
    const [claim, old] = [request.object as PersistentVolumeClaim, request.oldObject as PersistentVolumeClaim];
    if (compareQuantities(storageRequestOf(claim), storageRequestOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound') throw refused(request, 'Only bound persistent volume claims can be expanded');
    const name = classNameOf(claim);
    const allowed = name !== '' && name === classNameOf(old) && reader.get(StorageClass, { name })?.allowVolumeExpansion === true;
    if (!allowed)
      throw refused(
        request,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
  },
});
