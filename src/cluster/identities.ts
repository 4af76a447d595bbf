/** Who the components are: each has a name and groups of its own, and may do what the bootstrap policy says, no more. */
import { groups, serviceAccountGroups, serviceAccountUsername } from '../control-plane/api-server/request/user.ts';

export interface Identity {
  readonly name: string;
  readonly groups: readonly string[];
}

const { authenticated } = groups;

export const identities = {
  admin: { name: 'kubernetes-admin', groups: [groups.masters, authenticated] },
  /** the API server, towards kubelets */
  kubeletClient: { name: 'kube-apiserver-kubelet-client', groups: [authenticated] },
  controllerManager: { name: 'system:kube-controller-manager', groups: [authenticated] },
  scheduler: { name: 'system:kube-scheduler', groups: [authenticated] },
  proxy: { name: 'system:kube-proxy', groups: [authenticated] },
  network: { name: 'system:timonier:network', groups: [authenticated] },
  policy: { name: 'system:timonier:network-policy', groups: [authenticated] },
} satisfies Record<string, Identity>;

export const realNodeName = (cluster: string, number: number): string => `${cluster}-${number}`;
export const simulatedNodeName = (cluster: string, number: number): string => `${cluster}-simulated-${number}`;

/** Real or simulated; these were called hollow once. */
export const isNodeNameOf = (cluster: string, name: string): boolean =>
  name.startsWith(`${cluster}-`) && /^((simulated|hollow)-)?[1-9]\d*$/.test(name.slice(cluster.length + 1));

export const nodeIdentity = (nodeName: string): Identity => ({ name: `system:node:${nodeName}`, groups: [groups.nodes, authenticated] });

/** A controller is the service account of its name, as upstream runs them. */
export function serviceAccountIdentity(namespace: string, name: string): Identity {
  return {
    name: serviceAccountUsername(namespace, name),
    groups: [...serviceAccountGroups(namespace), authenticated],
  };
}
