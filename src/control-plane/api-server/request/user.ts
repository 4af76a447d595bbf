/** Names and groups that Kubernetes itself gives a meaning. Upstream: apiserver/pkg/authentication/user, serviceaccount. */
import type { UserInfo } from './request.ts';

export const groups = {
  masters: 'system:masters',
  nodes: 'system:nodes',
  authenticated: 'system:authenticated',
  unauthenticated: 'system:unauthenticated',
  serviceAccounts: 'system:serviceaccounts',
} as const;

export const anonymousUser: UserInfo = { name: 'system:anonymous', groups: [groups.unauthenticated] };

/** Everyone who proved who they are is in `system:authenticated`. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(groups.authenticated) || user.groups.includes(groups.unauthenticated)) return user;
  return { ...user, groups: [...user.groups, groups.authenticated] };
}

const nodeUserPrefix = 'system:node:';

/** The node that this user is; '' for a node without a name; undefined for who is no node. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(nodeUserPrefix) || !user.groups.includes(groups.nodes)) return undefined;
  return user.name.slice(nodeUserPrefix.length);
}

const serviceAccountPrefix = 'system:serviceaccount:';

export const serviceAccountUsername = (namespace: string, name: string): string => `${serviceAccountPrefix}${namespace}:${name}`;

export const serviceAccountGroups = (namespace: string): readonly string[] => [
  groups.serviceAccounts,
  `${groups.serviceAccounts}:${namespace}`,
];

export function parseServiceAccountUsername(username: string): { namespace: string; name: string } | undefined {
  if (!username.startsWith(serviceAccountPrefix)) return undefined;
  const [namespace, name, more] = username.slice(serviceAccountPrefix.length).split(':');
  return namespace && name && more === undefined ? { namespace, name } : undefined;
}
