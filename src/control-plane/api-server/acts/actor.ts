/**
 * Which component somebody is, by the user as whom it acts: each of the cluster's own has one. Components that act as
 * an administrator, as those of a kubeconfig do, say it in their user agent: `timonier/system:kube-scheduler`. Pure.
 */
import { groups } from '../authentication/user.ts';
import type { UserInfo } from '../request.ts';

export interface Actor {
  readonly component?: string;
  readonly node?: string;
}

const agentPrefix = 'timonier/';
const nodePrefix = 'system:node:';
const accountPrefix = 'system:serviceaccount:kube-system:';
const known = new Map([
  ['system:kube-scheduler', 'scheduler'],
  ['system:kube-controller-manager', 'controllers'],
  ['system:kube-proxy', 'proxy'],
  ['system:apiserver', 'api-server'],
  ['system:timonier:network', 'network'],
  [`${accountPrefix}kube-dns`, 'dns'],
  [`${accountPrefix}generic-garbage-collector`, 'garbage-collector'],
  [`${accountPrefix}node-controller`, 'node-lifecycle'],
]);

export function actorOf(user: UserInfo, userAgent: string | undefined): Actor {
  const own = componentNamed(user.name);
  if (own.component || !userAgent?.startsWith(agentPrefix) || !user.groups.includes(groups.masters)) return own;
  return componentNamed(userAgent.slice(agentPrefix.length));
}

function componentNamed(user: string): Actor {
  if (user.startsWith(nodePrefix)) return { component: 'kubelet', node: user.slice(nodePrefix.length) };
  const component = known.get(user);
  if (component) return { component };
  if (!user.startsWith(accountPrefix) || !user.endsWith('-controller')) return {};
  return { component: user.slice(accountPrefix.length, -'-controller'.length) };
}
