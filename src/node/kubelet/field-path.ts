/** Which container an event is about: `spec.containers{web}`. Upstream: pkg/kubelet/container/ref.go. */
import type { Pod } from '../../api/generated/core-v1.ts';

export function containerFieldPath(pod: Pod, name: string): string {
  if (pod.spec.containers.some((c) => c.name === name)) return `spec.containers{${name}}`;
  if (pod.spec.initContainers?.some((c) => c.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec.ephemeralContainers?.some((c) => c.name === name)) return `spec.ephemeralContainers{${name}}`;
  return `implicitly required container ${name}`;
}
