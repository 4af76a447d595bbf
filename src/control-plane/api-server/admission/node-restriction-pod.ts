/**
 * A kubelet creates only mirror pods: owned by its node, bound to it, and without a reference to any other object.
 * Upstream: plugin/pkg/admission/noderestriction/admission.go (admitPodCreate), pkg/api/pod/util.go (HasAPIObjectReference).
 */
import type { Volume } from '../../../api/generated/core-v1.ts';
import { Node, type Pod } from '../../../api/generated/kinds.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { mirrorAnnotation, podConfigMapNames, podSecretNames } from '../../../api/predicates/pod-references.ts';
import type { ObjectReader } from '../cache/reader.ts';

export function mirrorPodProblem(reader: ObjectReader, node: string, pod: Pod): string | undefined {
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined)
    return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
  if (pod.spec.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
  const problem = ownerProblem(reader, node, pod);
  if (problem) return problem;
  const referred = referredKind(pod);
  return referred === undefined ? undefined : `node "${node}" can not create pods that reference ${referred}`;
}

function ownerProblem(reader: ObjectReader, node: string, pod: Pod): string | undefined {
  const owners = pod.metadata.ownerReferences ?? [];
  const only = `node "${node}" can only create pods with`;
  if (owners.length > 1) return `${only} a single owner reference set to itself`;
  const [owner] = owners;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) return `${only} an owner reference set to itself`;
  if (!owner.controller) return `${only} a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node "${node}" must not set blockOwnerDeletion on an owner reference`;
  const existing = reader.get(Node, { name: node });
  if (!existing) throw errors.notFound(Node, node);
  const { uid } = existing.metadata;
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function referredKind({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'serviceaccounts';
  if (podSecretNames(spec).length > 0) return 'secrets';
  if (podConfigMapNames(spec).length > 0) return 'configmaps';
  if (spec.resourceClaims?.length) return 'resourceclaims';
  for (const volume of spec.volumes ?? []) {
    const referred = volumeReference(volume);
    if (referred) return referred;
  }
  return undefined;
}

function volumeReference(volume: Volume): string | undefined {
  if (volume.csi) return 'csidrivers (via CSI volumes)';
  if (volume.glusterfs) return 'endpoints (via glusterFS volumes)';
  if (volume.persistentVolumeClaim) return 'persistentvolumeclaims';
  if (volume.ephemeral) return 'persistentvolumeclaims (via ephemeral volumes)';
  for (const source of volume.projected?.sources ?? []) {
    if (source.serviceAccountToken) return 'serviceaccounts (via projected volumes)';
    if (source.clusterTrustBundle) return 'clustertrustbundles';
    if (source.podCertificate) return 'podcertificates';
  }
  return undefined;
}
