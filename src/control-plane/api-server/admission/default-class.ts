/**
 * DefaultStorageClass and DefaultIngressClass: a claim or ingress that names no class gets the one that is marked as
 * default; of several the newest, then the first by name.
 * Upstream: plugin/pkg/admission/storage/storageclass/setdefault, plugin/pkg/admission/network/defaultingressclass.
 */

import { Ingress, IngressClass, PersistentVolumeClaim, StorageClass } from '../../../api/generated/kinds.ts';
import { isKind, type KindRef, type KubeObject } from '../../../api/meta/object.ts';
import { own } from '../../../api/meta/words.ts';
import type { ObjectReader } from '../cache/reader.ts';
import type { AdmissionPlugin } from './plugin.ts';

const betaStorageClass = 'volume.beta.kubernetes.io/storage-class';

export const defaultStorageClass = (reader: ObjectReader): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  handles: (kind, operation, subresource) => isKind(kind, PersistentVolumeClaim) && operation === 'CREATE' && !subresource,
  admit({ object }) {
    const claim = object as PersistentVolumeClaim;
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[betaStorageClass] !== undefined) return undefined;
    const name = defaultOf(reader, StorageClass, [
      'storageclass.kubernetes.io/is-default-class',
      'storageclass.beta.kubernetes.io/is-default-class',
    ]);
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
    const name = defaultOf(reader, IngressClass, ['ingressclass.kubernetes.io/is-default-class']);
    return name === undefined ? undefined : ({ ...ingress, spec: { ...ingress.spec, ingressClassName: name } } as Ingress);
  },
});

function defaultOf<T extends KubeObject>(reader: ObjectReader, kind: KindRef<T>, annotations: readonly string[]): string | undefined {
  const marked = [...reader.list(kind)].filter(({ metadata }) => annotations.some((key) => own(metadata.annotations, key) === 'true'));
  const order = ({ metadata }: KubeObject): [string, string] => [metadata.creationTimestamp ?? '', metadata.name ?? ''];
  marked.sort((a, b) => {
    const [createdA, nameA] = order(a);
    const [createdB, nameB] = order(b);
    return createdA === createdB ? (nameA < nameB ? -1 : 1) : createdA > createdB ? -1 : 1;
  });
  return marked[0]?.metadata.name;
}
