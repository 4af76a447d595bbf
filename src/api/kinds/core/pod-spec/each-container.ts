/** Every container of a pod: init containers first, then the others, then ephemeral ones. */
import type { Container, EphemeralContainer, PodSpec } from '../../../generated/core-v1.ts';
import { listOf } from '../../lists.ts';

export type AnyContainer = Container | EphemeralContainer;

export function eachContainer(spec: PodSpec, path: string, visit: (container: AnyContainer, path: string) => void): void {
  for (const field of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of listOf<AnyContainer>(spec[field]).entries()) visit(container, `${path}.${field}[${i}]`);
  }
}

export function containersOf({ initContainers, containers, ephemeralContainers }: PodSpec): readonly AnyContainer[] {
  if (!initContainers && !ephemeralContainers) return listOf(containers);
  return [...listOf(initContainers), ...listOf(containers), ...listOf(ephemeralContainers)];
}
