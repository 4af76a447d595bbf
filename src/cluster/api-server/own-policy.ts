/** What timonier's own components may do, beside upstream's bootstrap policy: the least that each needs. Add-ons bring their own. */
import { ClusterRole, ClusterRoleBinding } from '../../api/generated/kinds.ts';
import { isAlreadyExists } from '../../api/meta/status-error.ts';
import type { Client } from '../../client/client.ts';
import { ipAddressRepair } from '../../control-plane/controllers/services/ip-address-repair.ts';
import { identities, serviceAccountIdentity } from '../identities.ts';

const read = ['get', 'list', 'watch'] as const;

const roles = [
  {
    name: 'system:timonier:network',
    user: identities.network.name,
    rules: [{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: read }],
  },
  {
    name: 'system:timonier:network-policy',
    user: identities.policy.name,
    rules: [
      { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: read },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: read },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    ],
  },
  {
    name: 'system:timonier:ipallocator-repair',
    user: serviceAccountIdentity('kube-system', ipAddressRepair.name).name,
    rules: [
      { apiGroups: [''], resources: ['services'], verbs: read },
      { apiGroups: ['networking.k8s.io'], resources: ['servicecidrs'], verbs: read },
      { apiGroups: ['networking.k8s.io'], resources: ['ipaddresses'], verbs: [...read, 'create', 'delete'] },
      { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
    ],
  },
  {
    name: 'system:timonier:node-status',
    user: identities.kubeletClient.name,
    rules: [{ apiGroups: [''], resources: ['nodes/statusz'], verbs: ['get'] }],
  },
];

/** Upstream's roles, given to whom an installer gives them. */
const bindings = [{ name: 'kubeadm:kubelet-api-admin', user: identities.kubeletClient.name, role: 'system:kubelet-api-admin' }];

export async function ensureOwnPolicy(client: Client): Promise<void> {
  await Promise.all(roles.map(({ name, rules }) => ensure(() => client.create(ClusterRole, { metadata: { name }, rules }))));
  await Promise.all(
    [...roles.map(({ name, user }) => ({ name, user, role: name })), ...bindings].map(({ name, user, role }) => {
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
      const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
      return ensure(() => client.create(ClusterRoleBinding, { metadata: { name }, roleRef, subjects }));
    }),
  );
}

async function ensure(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
