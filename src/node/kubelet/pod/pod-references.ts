/** Which ConfigMaps and Secrets a pod refers to. Pure. Upstream: pkg/api/v1/pod/util.go (VisitPodSecretNames, …). */
import type { Pod } from '../../../api/generated/core-v1.ts';

export interface PodReferences {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

/** A controller puts it into every namespace, and most pods have it without asking. */
const everywhere = 'kube-root-ca.crt';

/** There is something that the pod may have to wait for. */
export function mayWaitForObjects(pod: Pod): boolean {
  const { configMaps, secrets } = podReferences(pod);
  return secrets.size > 0 || configMaps.size > (configMaps.has(everywhere) ? 1 : 0);
}

export function podReferences({ spec }: Pod): PodReferences {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { name } of spec.imagePullSecrets ?? []) if (name) secrets.add(name);
  for (const container of [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef?.name) configMaps.add(configMapRef.name);
      if (secretRef?.name) secrets.add(secretRef.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.configMapKeyRef?.name) configMaps.add(valueFrom.configMapKeyRef.name);
      if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    if (volume.configMap?.name) configMaps.add(volume.configMap.name);
    if (volume.secret?.secretName) secrets.add(volume.secret.secretName);
    for (const source of volume.projected?.sources ?? []) {
      if (source.configMap?.name) configMaps.add(source.configMap.name);
      if (source.secret?.name) secrets.add(source.secret.name);
    }
  }
  return { configMaps, secrets };
}
