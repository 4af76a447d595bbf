/**
 * Nobody grants what they do not have: who writes a role needs its rules themselves, or the verb `escalate` on it; who
 * writes a binding needs the rules of its role, or the verb `bind` on it. Members of system:masters may always.
 * Upstream: pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased, pkg/registry/rbac/validation.
 */
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../api/generated/kinds.ts';
import type { PolicyRule } from '../../../api/generated/rbac-v1.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { MissingRoleError } from '../authorization/binding-index.ts';
import { describeRules, describeStrings, uncoveredRules } from '../authorization/policy-rule.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { groups } from '../request/user.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';
import type { AdmissionTools } from './tools.ts';

type Tools = Pick<AdmissionTools, 'authorize' | 'rbac' | 'bindings'>;

const resources = new Set([Role, ClusterRole, RoleBinding, ClusterRoleBinding].map((kind) => kind.resource));
const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export const roleEscalation = (tools: Tools): AdmissionPlugin => ({
  name: 'RoleEscalation',
  handles: (kind, operation, subresource) =>
    kind.group === Role.group && resources.has(kind.resource) && !subresource && (operation === 'CREATE' || operation === 'UPDATE'),
  async validate(request) {
    const { object, oldObject, user } = request;
    if (!object || user.groups.includes(groups.masters) || (oldObject && onlyOwnershipChanged(object, oldObject))) return;
    if (request.kind.resource === Role.resource || request.kind.resource === ClusterRole.resource) await checkRole(tools, request);
    else await checkBinding(tools, request, object as RoleBinding);
  },
});

async function checkRole(tools: Tools, request: AdmissionRequest): Promise<void> {
  const { user, kind, namespace = '', object, oldObject } = request;
  const name = request.name || object?.metadata.name || '';
  const resource = { group: kind.group, version: '*', resource: kind.resource, name, namespace: namespace || undefined };
  if ((await tools.authorize({ user, verb: 'escalate', path: '', resource })).verdict === 'allow') return;
  const problem = missingRules(tools, request, (object as ClusterRole).rules ?? []);
  if (problem) throw refused(request, problem);
  const aggregates = [object, oldObject].some((each) => (each as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors?.length);
  if (aggregates && missingRules(tools, request, fullAuthority))
    throw refused(request, 'must have cluster-admin privileges to use the aggregationRule');
}

async function checkBinding(tools: Tools, request: AdmissionRequest, binding: RoleBinding): Promise<void> {
  const { user, namespace = '' } = request;
  const { roleRef } = binding;
  const resource = {
    group: roleRef.apiGroup ?? Role.group,
    version: '*',
    resource: roleRef.kind === 'ClusterRole' ? ClusterRole.resource : Role.resource,
    name: roleRef.name,
    namespace: namespace || undefined,
  };
  if ((await tools.authorize({ user, verb: 'bind', path: '', resource })).verdict === 'allow') return;
  const problem = missingRules(tools, request, referredRules(tools, request, binding));
  if (problem) throw refused(request, problem);
}

/** Upstream names the role that is missing as if it were a binding. */
function referredRules({ bindings }: Tools, { kind, namespace = '' }: AdmissionRequest, { roleRef }: RoleBinding): readonly PolicyRule[] {
  try {
    return bindings.rulesOfRole(roleRef, namespace);
  } catch (error) {
    if (error instanceof MissingRoleError) throw errors.notFound(kind, error.roleName);
    throw error;
  }
}

/** What of `wanted` the user does not have, in words. */
function missingRules({ rbac }: Tools, { user, namespace = '' }: AdmissionRequest, wanted: readonly PolicyRule[]): string | undefined {
  const { rules, errors: unresolved } = rbac.rulesOf(user, namespace);
  const missing = uncoveredRules(rules, wanted);
  if (missing.length === 0) return undefined;
  const who = `user ${JSON.stringify(user.name)} (groups=${describeStrings(user.groups)})`;
  const resolution = unresolved.length > 0 ? `; resolution errors: [${unresolved.join(' ')}]` : '';
  return `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(missing).join('\n')}${resolution}`;
}

/** The garbage collector takes off owners and finalizers without holding the rules. */
function onlyOwnershipChanged(object: KubeObject, old: KubeObject): boolean {
  const core = ({ metadata, ...rest }: KubeObject): unknown => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, ...kept } = metadata;
    return { ...rest, metadata: kept };
  };
  return equalSemantically(core(object), core(old));
}
