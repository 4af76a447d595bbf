/** What a pod refers to by name: Secrets and ConfigMaps of its containers and volumes. Upstream: pkg/api/v1/pod/util.go. */
import type { Container, PodSpec, Volume } from '../generated/core-v1.ts';

/** On pods that only mirror a static pod of a node. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

type Name = string | undefined;
const present = (names: readonly Name[]): readonly string[] => [...new Set(names)].filter((name) => !!name) as string[];

export const allContainers = (spec: PodSpec): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...((spec.ephemeralContainers ?? []) as readonly Container[]),
];

export const podSecretNames = (spec: PodSpec): readonly string[] =>
  present([
    ...(spec.imagePullSecrets ?? []).map((ref) => ref.name),
    ...allContainers(spec).flatMap(({ env, envFrom }) => [
      ...(env ?? []).map((each) => each.valueFrom?.secretKeyRef?.name),
      ...(envFrom ?? []).map((each) => each.secretRef?.name),
    ]),
    ...(spec.volumes ?? []).flatMap(volumeSecretNames),
  ]);

export const podConfigMapNames = (spec: PodSpec): readonly string[] =>
  present([
    ...allContainers(spec).flatMap(({ env, envFrom }) => [
      ...(env ?? []).map((each) => each.valueFrom?.configMapKeyRef?.name),
      ...(envFrom ?? []).map((each) => each.configMapRef?.name),
    ]),
    ...(spec.volumes ?? []).flatMap((volume) => [
      volume.configMap?.name,
      ...(volume.projected?.sources ?? []).map((source) => source.configMap?.name),
    ]),
  ]);

function volumeSecretNames(volume: Volume): Name[] {
  return [
    volume.secret?.secretName,
    ...(volume.projected?.sources ?? []).map((source) => source.secret?.name),
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ];
}
