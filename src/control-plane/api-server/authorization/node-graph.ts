/**
 * Which node uses which object: the pods of a node, and what those pods refer to. Follows the watch cache, so a kubelet
 * that sees its pod may read the pod's Secrets at once. Mirror pods give no rights.
 * Upstream: plugin/pkg/auth/authorizer/node/graph.go, pkg/api/v1/pod/util.go (VisitPodSecretNames).
 */
import {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceSlice,
  ServiceAccount,
  VolumeAttachment,
} from '../../../api/generated/kinds.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { mirrorAnnotation, podConfigMapNames, podSecretNames } from '../../../api/predicates/pod-references.ts';
import type { ObjectReader } from '../cache/reader.ts';

export type UsedBy = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims';

export class NodeGraph implements Disposable {
  readonly #reader: ObjectReader;
  /** `resource namespace/name` → the nodes that use it, and by how many pods */
  readonly #users = new Map<string, Map<string, number>>();
  /** `secret namespace/name` → the persistent volumes whose driver needs it */
  readonly #volumesOfSecret = new Map<string, Set<string>>();
  readonly #following: Disposable[];

  constructor(reader: ObjectReader) {
    this.#reader = reader;
    this.#following = [
      reader.follow(Pod, (pod, old) => {
        if (old && pod && old.spec === pod.spec && sameReferences(old, pod)) return;
        if (old) this.#count(old, -1);
        if (pod) this.#count(pod, 1);
      }),
      reader.follow(PersistentVolume, (volume, old) => {
        if (old) for (const secret of volumeSecrets(old)) this.#unlinkSecret(secret, old.metadata.name);
        if (volume) for (const secret of volumeSecrets(volume)) this.#linkSecret(secret, volume.metadata.name);
      }),
    ];
  }

  /** Whether a pod on the node uses the object, directly or (secrets) through its volumes. */
  uses(node: string, resource: UsedBy, key: ObjectKey): boolean {
    if (this.#users.get(`${resource} ${key}`)?.has(node)) return true;
    if (resource !== 'secrets') return false;
    return [...(this.#volumesOfSecret.get(key) ?? [])].some((volume) => this.usesVolume(node, volume));
  }

  usesVolume(node: string, name: string): boolean {
    const claim = this.#reader.get(PersistentVolume, { name })?.spec.claimRef;
    return claim !== undefined && this.uses(node, PersistentVolumeClaim.resource as UsedBy, `${claim.namespace ?? ''}/${claim.name ?? ''}`);
  }

  isOnNode(node: string, pod: { readonly namespace: string; readonly name: string }): boolean {
    return this.#reader.get(Pod, pod)?.spec.nodeName === node;
  }

  isAttachedTo(node: string, attachment: string): boolean {
    return this.#reader.get(VolumeAttachment, { name: attachment })?.spec.nodeName === node;
  }

  isSliceOf(node: string, slice: string): boolean {
    return this.#reader.get(ResourceSlice, { name: slice })?.spec.nodeName === node;
  }

  [Symbol.dispose](): void {
    for (const each of this.#following) each[Symbol.dispose]();
  }

  #count(pod: Pod, by: 1 | -1): void {
    const node = pod.spec.nodeName;
    if (!node || pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return;
    for (const used of podReferences(pod)) {
      const users = this.#users.get(used) ?? new Map<string, number>();
      const count = (users.get(node) ?? 0) + by;
      if (count > 0) users.set(node, count);
      else users.delete(node);
      if (users.size > 0) this.#users.set(used, users);
      else this.#users.delete(used);
    }
  }

  #linkSecret(secret: string, volume: string): void {
    this.#volumesOfSecret.set(secret, (this.#volumesOfSecret.get(secret) ?? new Set()).add(volume));
  }

  #unlinkSecret(secret: string, volume: string): void {
    const volumes = this.#volumesOfSecret.get(secret);
    volumes?.delete(volume);
    if (volumes?.size === 0) this.#volumesOfSecret.delete(secret);
  }
}

const sameReferences = (a: Pod, b: Pod): boolean =>
  a.status.resourceClaimStatuses === b.status.resourceClaimStatuses && a.metadata.annotations === b.metadata.annotations;

function podReferences(pod: Pod): Set<string> {
  const { namespace, name } = pod.metadata;
  const { spec } = pod;
  const of = (resource: UsedBy, names: Iterable<string | undefined>): string[] =>
    [...names].flatMap((each) => (each ? [`${resource} ${namespace}/${each}`] : []));
  const volumes = spec.volumes ?? [];
  const claims = volumes.map(
    (volume) => volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${name}-${volume.name}` : undefined),
  );
  const resourceClaims = (spec.resourceClaims ?? []).map(
    (claim) => claim.resourceClaimName ?? pod.status.resourceClaimStatuses?.find((status) => status.name === claim.name)?.resourceClaimName,
  );
  return new Set([
    ...of(ServiceAccount.resource as UsedBy, [spec.serviceAccountName]),
    ...of('secrets', podSecretNames(spec)),
    ...of('configmaps', podConfigMapNames(spec)),
    ...of('persistentvolumeclaims', claims),
    ...of('resourceclaims', resourceClaims),
  ]);
}

/** The secrets that a kubelet needs to mount the volume. */
function volumeSecrets({ spec }: PersistentVolume): string[] {
  const refs = [
    spec.csi?.nodePublishSecretRef,
    spec.csi?.nodeStageSecretRef,
    spec.csi?.nodeExpandSecretRef,
    spec.cephfs?.secretRef,
    spec.flexVolume?.secretRef,
    spec.iscsi?.secretRef,
    spec.rbd?.secretRef,
    spec.scaleIO?.secretRef,
  ];
  return refs.flatMap((ref) =>
    ref?.name ? [keyOf({ metadata: { namespace: ref.namespace ?? spec.claimRef?.namespace ?? '', name: ref.name } })] : [],
  );
}
