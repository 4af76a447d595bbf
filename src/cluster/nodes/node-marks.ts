/**
 * What the nodes of a cluster are marked with beside what their kubelets say of them, who may not (NodeRestriction):
 * - the node of the control plane has its role, as kubeadm labels it; without kubeadm's taint, since pods run there;
 * - beside real nodes, simulated ones have a taint, since nothing answers at the addresses of their pods: who wants pods
 *   there tolerates it. Without real nodes they have none.
 * Both follow at each start. What others have marked stays. Beside an API server elsewhere nobody knows the node of the
 * control plane, and simulated nodes get their taint when they register first.
 */
import type { Node, Taint } from '../../api/generated/core-v1.ts';
import { Node as NodeKind } from '../../api/generated/kinds.ts';
import { simulatedLabel } from '../../api/meta/well-known.ts';
import { own } from '../../api/meta/words.ts';
import type { Client } from '../../client/client.ts';
import { realNodeName, simulatedNodeName } from '../identities.ts';

const roleLabel = 'node-role.kubernetes.io/control-plane';
export const simulatedLabels = { [simulatedLabel]: 'true' } as const;
const simulatedTaint: Taint = { key: simulatedLabel, value: 'true', effect: 'NoSchedule' };

export interface NodeMarks {
  /** the node that has the role, and the one that had it if it has not */
  readonly controlPlane?: string | undefined;
  readonly formerControlPlane?: string | undefined;
  /** of simulated nodes */
  readonly taints: readonly Taint[];
}

const isSimulated = ({ metadata }: Node): boolean => own(metadata.labels, simulatedLabel) !== undefined;

/** Of a cluster whose API server is here. */
export function marksOf(cluster: string, { real }: { readonly real: number }): NodeMarks {
  const simulated = simulatedNodeName(cluster, 1);
  if (real === 0) return { controlPlane: simulated, taints: [] };
  return { controlPlane: realNodeName(cluster, 1), formerControlPlane: simulated, taints: [simulatedTaint] };
}

/** Of simulated nodes beside an API server elsewhere. */
export async function marksElsewhere(client: Client): Promise<NodeMarks> {
  const { items } = await client.list(NodeKind);
  return { taints: items.every(isSimulated) ? [] : [simulatedTaint] };
}

/** Those that there are already, before anything is scheduled to them. */
export async function markNodes(client: Client, marks: NodeMarks): Promise<void> {
  const { items } = await client.list(NodeKind);
  await Promise.all(items.map((node) => mark(client, marks, node)));
}

/** A node that has just registered. */
export async function markNode(client: Client, marks: NodeMarks, name: string): Promise<void> {
  if (name === marks.controlPlane) await mark(client, marks, await client.get(NodeKind, { name }));
}

async function mark(client: Client, marks: NodeMarks, node: Node): Promise<void> {
  const body = planMarks(node, marks);
  if (body) await client.patch(NodeKind, { name: node.metadata.name }, { type: 'merge', body });
}

/** A merge patch; undefined: it is marked as it should be. */
export function planMarks(node: Node, { controlPlane, formerControlPlane, taints }: NodeMarks): object | undefined {
  const { name, labels } = node.metadata;
  const hasRole = own(labels, roleLabel) !== undefined;
  const role = name === controlPlane && !hasRole ? '' : name === formerControlPlane && hasRole ? null : undefined;
  const had = node.spec?.taints ?? [];
  const others = had.filter(({ key }) => key !== simulatedTaint.key);
  const isTaintedAsWanted = !isSimulated(node) || had.length - others.length === taints.length;
  if (role === undefined && isTaintedAsWanted) return undefined;
  return {
    ...(role !== undefined && { metadata: { labels: { [roleLabel]: role } } }),
    ...(!isTaintedAsWanted && { spec: { taints: [...others, ...taints] } }),
  };
}
