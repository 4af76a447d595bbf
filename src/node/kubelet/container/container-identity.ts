/** What a container is known by: its id in the API's status, its place in an event, the hash of what makes it another one. Pure. */
import type { Container, Pod } from '../../../api/generated/core-v1.ts';

/** A container's id as the runtime knows it: the API's has the runtime's name before it, `containerd://`. */
export const bareContainerID = (containerID: string): string => containerID.replace(/^[^:]*:\/\//, '');

/** Which container an event is about: `spec.containers{web}`. Upstream: pkg/kubelet/container/ref.go. */
export function containerFieldPath(pod: Pod, name: string): string {
  if (pod.spec.containers.some((c) => c.name === name)) return `spec.containers{${name}}`;
  if (pod.spec.initContainers?.some((c) => c.name === name)) return `spec.initContainers{${name}}`;
  if (pod.spec.ephemeralContainers?.some((c) => c.name === name)) return `spec.ephemeralContainers{${name}}`;
  return `implicitly required container ${name}`;
}

/**
 * Of its name and image: a running container whose hash differs is restarted. Written as upstream writes it (FNV-1a of 32
 * bits, hexadecimal), though not bit for bit the same, as upstream hashes Go's own dump of the value.
 * Upstream: pkg/kubelet/container/helpers.go (HashContainer).
 */
export function hashContainer(container: Container): string {
  const text = JSON.stringify({ image: container.image ?? '', name: container.name });
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}
