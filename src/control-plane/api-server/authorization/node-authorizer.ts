/**
 * What a kubelet may do: what all kubelets may (node-rules.ts), its own Node, lease and CSINode, its pods, and those
 * Secrets, ConfigMaps, claims, volumes and service accounts that its pods use. Everybody else: no opinion.
 * What it may write into those objects is checked by the NodeRestriction admission plugin.
 * Upstream: plugin/pkg/auth/authorizer/node/node_authorizer.go.
 */
import { parseFieldSelector, SelectorError } from '../../../api/meta/selectors.ts';
import { nodeLeaseNamespace } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import type { RequestAttributes } from '../request/request.ts';
import { nodeNameOf } from '../request/user.ts';
import type { Authorizer, Decision } from './authorizer.ts';
import type { NodeGraph, UsedBy } from './node-graph.ts';
import { nodeRules } from './node-rules.ts';
import { ruleAllows } from './policy-rule.ts';

type Resource = NonNullable<RequestAttributes['resource']>;
interface Ask {
  readonly node: string;
  readonly verb: string;
  readonly resource: Resource;
  readonly graph: NodeGraph;
}

const allow: Decision = { verdict: 'allow', reason: '' };
const no = (reason = ''): Decision => ({ verdict: 'no-opinion', reason });
const unrelated = (node: string): Decision => no(`no relationship found between node '${node}' and this object`);

export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return no();
      if (node === '') return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
      const { resource, verb } = attributes;
      const judge = resource && own(judges, resource.group ? `${resource.resource}.${resource.group}` : resource.resource);
      if (judge) return judge({ node, verb, resource, graph });
      return nodeRules.some((rule) => ruleAllows(rule, attributes)) ? allow : no();
    },
    rulesFor(user) {
      const isNode = nodeNameOf(user) !== undefined;
      const evaluationError = 'node authorizer does not support user rule resolution';
      return { resourceRules: [], nonResourceRules: [], incomplete: isNode, ...(isNode && { evaluationError }) };
    },
  };
}

const judges: Readonly<Record<string, (ask: Ask) => Decision>> = {
  secrets: readUsed,
  configmaps: readUsed,
  persistentvolumeclaims(ask) {
    if (ask.resource.subresource !== 'status') return getOnly(ask, used);
    if (ask.verb !== 'update' && ask.verb !== 'patch') return no('can only get/update/patch this type');
    return named(ask, used);
  },
  persistentvolumes: (ask) => getOnly(ask, ({ graph, node, resource }) => graph.usesVolume(node, resource.name ?? '')),
  'resourceclaims.resource.k8s.io': (ask) => getOnly(ask, used),
  'volumeattachments.storage.k8s.io': (ask) => getOnly(ask, ({ graph, node, resource }) => graph.isAttachedTo(node, resource.name ?? '')),
  serviceaccounts: judgeServiceAccount,
  'leases.coordination.k8s.io': judgeLease,
  'csinodes.storage.k8s.io': judgeCSINode,
  'resourceslices.resource.k8s.io': judgeResourceSlice,
  nodes: judgeNode,
  pods: judgePod,
};

function used({ graph, node, resource }: Ask): boolean {
  return graph.uses(node, resource.resource as UsedBy, `${resource.namespace ?? ''}/${resource.name ?? ''}`);
}

function named(ask: Ask, related: (ask: Ask) => boolean): Decision {
  if (!ask.resource.name) return no('No Object name found');
  return related(ask) ? allow : unrelated(ask.node);
}

function getOnly(ask: Ask, related: (ask: Ask) => boolean): Decision {
  if (ask.verb !== 'get') return no('can only get individual resources of this type');
  if (ask.resource.subresource) return no('cannot get subresource');
  return named(ask, related);
}

function readUsed(ask: Ask): Decision {
  if (ask.verb !== 'get' && ask.verb !== 'list' && ask.verb !== 'watch') return no('can only read resources of this type');
  if (ask.resource.subresource) return no('cannot read subresource');
  if (!ask.resource.namespace) return no('can only read namespaced object of this type');
  return named(ask, used);
}

function judgeServiceAccount(ask: Ask): Decision {
  const { verb, resource } = ask;
  if (verb === 'get' && !resource.subresource) return readUsed(ask);
  if (verb !== 'create' || !resource.name) return no('can only create tokens for individual service accounts');
  if (resource.subresource !== 'token') return no('can only create token subresource of serviceaccount');
  return used(ask) ? allow : unrelated(ask.node);
}

const ownVerbs = ['get', 'create', 'update', 'patch', 'delete'];

/** The name of what is created is checked at admission: authorization does not know it. */
function judgeLease({ verb, resource, node }: Ask): Decision {
  if (!ownVerbs.includes(verb)) return no('can only get, create, update, patch, or delete a node lease');
  if (resource.namespace !== nodeLeaseNamespace) return no('can only access leases in the "kube-node-lease" system namespace');
  if (verb !== 'create' && resource.name !== node) return no('can only access node lease with the same name as the requesting node');
  return allow;
}

function judgeCSINode({ verb, resource, node }: Ask): Decision {
  if (!ownVerbs.includes(verb)) return no('can only get, create, update, patch, or delete a CSINode');
  if (resource.subresource) return no('cannot authorize CSINode subresources');
  if (verb !== 'create' && resource.name !== node) return no('can only access CSINode with the same name as the requesting node');
  return allow;
}

function judgeResourceSlice(ask: Ask): Decision {
  const { verb, resource, node } = ask;
  if (resource.subresource) return no('cannot authorize ResourceSlice subresources');
  if (verb === 'create') return allow;
  if (ownVerbs.includes(verb)) return named(ask, ({ graph }) => graph.isSliceOf(node, resource.name ?? ''));
  if (verb !== 'watch' && verb !== 'list' && verb !== 'deletecollection')
    return no(
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    );
  return selectsNode(ask) ? allow : no('can only list/watch/deletecollection resourceslices with nodeName field selector');
}

function judgeNode({ verb, resource, node }: Ask): Decision {
  const writes = verb === 'update' || verb === 'patch';
  if (resource.subresource) return resource.subresource === 'status' && writes ? allow : no();
  if (writes || verb === 'create') return allow;
  if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no();
  if (resource.name === node) return allow;
  return no(
    resource.name
      ? `node '${node}' cannot read '${resource.name}', only its own Node object`
      : `node '${node}' cannot read all nodes, only its own Node object`,
  );
}

function judgePod(ask: Ask): Decision {
  const { verb, resource, node, graph } = ask;
  if (resource.subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : no();
  if (resource.subresource === 'eviction') return verb === 'create' ? allow : no();
  if (resource.subresource) return no();
  if (verb === 'create' || verb === 'delete') return allow;
  const isMine = (): boolean => graph.isOnNode(node, { namespace: resource.namespace ?? '', name: resource.name ?? '' });
  if (verb === 'get') return named(ask, isMine);
  if (verb !== 'list' && verb !== 'watch') return no();
  if (selectsNode(ask)) return allow;
  return resource.name ? named(ask, isMine) : no('can only list/watch pods with spec.nodeName field selector');
}

function selectsNode({ resource, node }: Ask): boolean {
  try {
    const terms = parseFieldSelector(resource.fieldSelector ?? '');
    return terms.some((term) => term.field === 'spec.nodeName' && term.operator === '=' && term.value === node);
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}
