/** How others name a container: the API in its status, an event in its `fieldPath`. Pure. */
import type { Pod } from '../../../api/generated/core-v1.ts';

/** A container's id as the runtime knows it: the API's has the runtime's name before it, `containerd://`. */
export const bareContainerID = (containerID: string): string => containerID.replace(/^[^:]*:\/\//, '');

/** Which container an event is about: `spec.containers{web}`. Upstream: pkg/kubelet/container/ref.go. */
export function containerFieldPath(pod: Pod, name: string): string {
  if (pod.spec.containers.some((c) => c.name === name)) return `spec.containers{${name}}`;
  if (pod.spec.initContainers?.some((c) => c.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec.ephemeralContainers?.some((c) => c.name === name)) return `spec.ephemeralContainers{${name}}`;
  return `implicitly required container ${name}`;
}
