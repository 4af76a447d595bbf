/**
 * Which component somebody is, by the user as whom it acts: each of the cluster's own has one. Components that act as
 * an administrator, as those of a kubeconfig do, say it in their user agent: `timonier/system:kube-scheduler`. Pure.
 */

import type { UserInfo } from '../request/request.ts';
import { groups } from '../request/user.ts';

export interface Actor {
  readonly component?: string;
  readonly node?: string;
}

const agentPrefix = 'timonier/';
const nodePrefix = 'system:node:';
const accountPrefix = 'system:serviceaccount:kube-system:';
/** Controllers whose accounts are called so, with `-controller`: these alone, as anybody may make further ones there. */
const controllers = [
  'certificate',
  'clusterrole-aggregation',
  'cronjob',
  'daemon-set',
  'deployment',
  'disruption',
  'endpoint',
  'endpointslice',
  'endpointslicemirroring',
  'ephemeral-volume',
  'ipallocator-repair',
  'job',
  'namespace',
  'pv-protection',
  'pvc-protection',
  'replicaset',
  'replication',
  'service-account',
  'service-cidrs',
  'statefulset',
  'ttl-after-finished',
  'volumeattributesclass-protection',
];
const known = new Map([
  ['system:kube-scheduler', 'scheduler'],
  ['system:kube-controller-manager', 'controllers'],
  ['system:kube-proxy', 'proxy'],
  ['system:apiserver', 'api-server'],
  ['system:timonier:network', 'network'],
  [`${accountPrefix}kube-dns`, 'dns'],
  [`${accountPrefix}directory-provisioner`, 'storage'],
  [`${accountPrefix}persistent-volume-binder`, 'persistentvolume-binder'],
  [`${accountPrefix}expand-controller`, 'persistentvolume-expander'],
  [`${accountPrefix}timonier-metrics`, 'metrics'],
  [`${accountPrefix}horizontal-pod-autoscaler`, 'horizontal-pod-autoscaler'],
  [`${accountPrefix}generic-garbage-collector`, 'garbage-collector'],
  [`${accountPrefix}pod-garbage-collector`, 'pod-garbage-collector'],
  [`${accountPrefix}root-ca-cert-publisher`, 'root-ca-cert-publisher'],
  [`${accountPrefix}node-controller`, 'node-lifecycle'],
  ...controllers.map((name) => [`${accountPrefix}${name}-controller`, name] as const),
]);

/** All that somebody can be. */
export const actorNames: readonly string[] = [...new Set(['kubelet', ...known.values()])].toSorted();

export function actorOf(user: UserInfo, userAgent: string | undefined): Actor {
  const own = componentNamed(user.name);
  if (own.component || !userAgent?.startsWith(agentPrefix) || !user.groups.includes(groups.masters)) return own;
  return componentNamed(userAgent.slice(agentPrefix.length));
}

function componentNamed(user: string): Actor {
  if (user.startsWith(nodePrefix)) return { component: 'kubelet', node: user.slice(nodePrefix.length) };
  const component = known.get(user);
  return component ? { component } : {};
}
