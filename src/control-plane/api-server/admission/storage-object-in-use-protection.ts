/**
 * Volumes, claims and volume attribute classes get a finalizer, so that none goes while it is in use; a controller
 * takes it off. Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.
 */
import type { AdmissionPlugin } from './plugin.ts';

const finalizers: Readonly<Record<string, string>> = {
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (kind, operation, subresource) =>
    operation === 'CREATE' && !subresource && finalizers[`${kind.group}/${kind.resource}`] !== undefined,
  admit({ kind, object }) {
    const finalizer = finalizers[`${kind.group}/${kind.resource}`] ?? '';
    const known = object?.metadata.finalizers ?? [];
    if (!object || known.includes(finalizer)) return undefined;
    return { ...object, metadata: { ...object.metadata, finalizers: [...known, finalizer] } };
  },
};
