/**
 * Who a StatefulSet's pods are: a name with an ordinal, a hostname, and claims of their own that outlive them. Pure.
 * Upstream: pkg/controller/statefulset/stateful_set_utils.go.
 */
import type { PodTemplateSpec, Volume } from '../../../api/generated/core-v1.ts';
import { type PersistentVolumeClaim, Pod, StatefulSet } from '../../../api/generated/kinds.ts';
import type { OwnerReference } from '../../../api/generated/meta-v1.ts';
import type { New } from '../../../api/meta/object.ts';
import { controllerReference } from '../owner.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { revisionHashLabel } from './revision-history.ts';

const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

/** undefined: it is not a pod of a StatefulSet of this name */
export function ordinalOf(pod: Pod, setName: string): number | undefined {
  const match = /^(.*)-(\d+)$/.exec(pod.metadata.name);
  return match?.[1] === setName ? Number(match[2]) : undefined;
}

export const startOf = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;

const claimName = (template: PersistentVolumeClaim, set: StatefulSet, ordinal: number): string =>
  `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

export function makeStatefulPod(set: StatefulSet, ordinal: number, template: PodTemplateSpec, revisionName: string): New<Pod> {
  const pod = podFromTemplate(template, set, controllerReference(StatefulSet, set));
  const { generateName: _, ...metadata } = pod.metadata;
  const name = `${set.metadata.name}-${ordinal}`;
  const templates = set.spec.volumeClaimTemplates ?? [];
  const claims = templates.map(
    (each): Volume => ({ name: each.metadata.name, persistentVolumeClaim: { claimName: claimName(each, set, ordinal) } }),
  );
  const others = pod.spec.volumes?.filter((volume) => !claims.some((claim) => claim.name === volume.name)) ?? [];
  const labels = { ...metadata.labels, [podNameLabel]: name, [podIndexLabel]: String(ordinal), [revisionHashLabel]: revisionName };
  return {
    metadata: { ...metadata, name, labels },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      volumes: [...claims, ...others],
    },
  };
}

/** The claims of one ordinal. */
export function volumeClaimsOf(set: StatefulSet, ordinal: number): readonly New<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    metadata: {
      namespace: set.metadata.namespace,
      name: claimName({ metadata } as PersistentVolumeClaim, set, ordinal),
      labels: { ...metadata.labels, ...set.spec.selector?.matchLabels },
      ...(metadata.annotations && { annotations: metadata.annotations }),
    },
    spec,
  }));
}

/**
 * The owners that a claim should have by the retention policy: the set, when it is to go with it; the pod, when the pod
 * is on its way out by scaling down; neither beside another controller. undefined: it has them already, or is of an
 * earlier set or pod of that name, and left to the garbage collector.
 */
export function nextClaimOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  isCondemned: boolean,
): readonly OwnerReference[] | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const byPod = whenScaled === 'Delete' && isCondemned;
  const bySet = whenDeleted === 'Delete' && !byPod;
  const before = claim.metadata.ownerReferences ?? [];
  const [ofSet, ofPod] = [controllerReference(StatefulSet, set), controllerReference(Pod, pod)];
  const ours = before.filter((each) => isNamedAs(each, ofSet) || isNamedAs(each, ofPod));
  if (ours.some(({ uid }) => uid !== ofSet.uid && uid !== ofPod.uid)) return undefined;
  const others = before.filter((each) => !ours.includes(each));
  const isOthers = (whenScaled === 'Delete' || whenDeleted === 'Delete') && others.some(({ controller }) => controller);
  const wanted = isOthers ? [] : [...(bySet ? [ofSet] : []), ...(byPod ? [ofPod] : [])];
  const isSame = ours.length === wanted.length && wanted.every(({ uid }) => ours.some((each) => each.uid === uid && each.controller));
  return isSame ? undefined : [...others, ...wanted];
}

const isNamedAs = (a: OwnerReference, b: OwnerReference): boolean =>
  a.apiVersion === b.apiVersion && a.kind === b.kind && a.name === b.name;
