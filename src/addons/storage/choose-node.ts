/**
 * Where the volume of a claim goes whose class does not wait for a pod: of the nodes that take pods, and that the class
 * allows, the one with the fewest volumes. Pure.
 */
import type { Node, PersistentVolume, StorageClass } from '../../api/generated/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { isInTopologies } from '../../api/predicates/node-selection.ts';
import { untoleratedTaint } from '../../api/predicates/taints.ts';

/** On volumes: the node whose directory it is. */
export const nodeAnnotation = 'timonier.dev/node';

export const takesPods = ({ spec, status }: Node): boolean =>
  isConditionTrue(status?.conditions, 'Ready') && !spec?.unschedulable && !untoleratedTaint(spec?.taints);

export function chooseNode(
  nodes: readonly Node[],
  volumes: Iterable<PersistentVolume>,
  { allowedTopologies }: Pick<StorageClass, 'allowedTopologies'>,
): string | undefined {
  const counts = new Map(
    nodes.filter((node) => takesPods(node) && isInTopologies(node, allowedTopologies)).map(({ metadata }) => [metadata.name, 0]),
  );
  for (const { metadata } of volumes) {
    const name = metadata.annotations?.[nodeAnnotation] ?? '';
    const count = counts.get(name);
    if (count !== undefined) counts.set(name, count + 1);
  }
  const [best] = [...counts].toSorted(([a, held], [b, more]) => held - more || (a < b ? -1 : 1));
  return best?.[0];
}
