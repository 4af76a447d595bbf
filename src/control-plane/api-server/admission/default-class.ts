/**
 * DefaultStorageClass and DefaultIngressClass: a claim or ingress that names no class gets the one that is marked as
 * default; of several the newest, then the first by name.
 * Upstream: plugin/pkg/admission/storage/storageclass/setdefault, plugin/pkg/admission/network/defaultingressclass.
 */

import { Ingress, IngressClass, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { isKind } from '../../../api/meta/object.ts';
import { hasClass } from '../../../api/predicates/claims.ts';
import { defaultClass, defaultStorageClassOf } from '../../../api/predicates/default-class.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionPlugin } from './plugin.ts';

export const defaultStorageClass = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  handles: (kind, operation, subresource) => isKind(kind, PersistentVolumeClaim) && operation === 'CREATE' && !subresource,
  admit({ object }) {
    const claim = object as PersistentVolumeClaim;
    if (hasClass(claim)) return undefined;
    const name = defaultStorageClassOf(reader.list(StorageClass))?.metadata.name;
    return name === undefined ? undefined : ({ ...claim, spec: { ...claim.spec, storageClassName: name } } as PersistentVolumeClaim);
  },
});

export const defaultIngressClass = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  handles: (kind, operation, subresource) => isKind(kind, Ingress) && operation === 'CREATE' && !subresource,
  admit({ object }) {
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined)
      return undefined;
    const name = defaultClass(reader.list(IngressClass), ['ingressclass.kubernetes.io/is-default-class'])?.metadata.name;
    return name === undefined ? undefined : ({ ...ingress, spec: { ...ingress.spec, ingressClassName: name } } as Ingress);
  },
});
