/**
 * The hash of what makes a container a different one: its name and image. A running container whose hash differs is
 * restarted. Written as upstream writes it (FNV-1a of 32 bits, hexadecimal), though not bit for bit the same, as
 * upstream hashes Go's own dump of the value. Upstream: pkg/kubelet/container/helpers.go (HashContainer).
 */
import type { Container } from '../../../api/generated/core-v1.ts';

export function hashContainer(container: Container): string {
  const text = JSON.stringify({ image: container.image ?? '', name: container.name });
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}
