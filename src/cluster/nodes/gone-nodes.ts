/**
 * Nodes that a cluster had and has no more, because it was told to have fewer: their objects go, and the pods that were on
 * them. Only those that this cluster's kubelets have made: by their names, and by what only a kubelet says of a node.
 */
import { Node, Pod } from '../../api/generated/kinds.ts';
import { isNotFound } from '../../api/meta/status-error.ts';
import type { Client } from '../../client/client.ts';
import { inSlices } from '../../client/turns.ts';

/** at once */
const deletionsMax = 50;

/** `own` are the names that it has now; `isOwn` says whether it could have given a name. */
export function planGoneNodes(
  nodes: readonly Node[],
  { own, isOwn }: { readonly own: ReadonlySet<string>; readonly isOwn: (name: string) => boolean },
): string[] {
  return nodes
    .filter(({ metadata: { name }, status }) => isOwn(name) && !own.has(name) && Boolean(status?.nodeInfo?.kubeletVersion))
    .map(({ metadata }) => metadata.name);
}

/** Nothing runs on them any more. */
export async function removeNodes(client: Client, names: readonly string[]): Promise<void> {
  await inSlices(names, { atOnce: deletionsMax }, (name) => gone(client.delete(Node, { name })));
  if (names.length === 0) return;
  const left = new Set(names);
  const { items } = await client.list(Pod);
  const pods = items.filter(({ spec }) => spec.nodeName !== undefined && left.has(spec.nodeName));
  await inSlices(pods, { atOnce: deletionsMax }, ({ metadata: { namespace, name } }) =>
    gone(client.delete(Pod, { namespace: namespace ?? '', name }, { gracePeriodSeconds: 0 })),
  );
}

async function gone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
