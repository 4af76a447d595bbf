/**
 * What every kubelet may do, whichever node it is. What it may do with nodes, pods, leases and the objects its pods
 * use is decided one by one in node-authorizer.ts.
 * Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (NodeRules).
 */
import type { PolicyRule } from '../../../api/generated/rbac-v1.ts';

const rule = (verbs: string, apiGroups: readonly string[], ...resources: readonly string[]): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups,
  resources,
});
const read = 'get list watch';

export const nodeRules: readonly PolicyRule[] = [
  rule('create', ['authentication.k8s.io'], 'tokenreviews'),
  rule('create', ['authorization.k8s.io'], 'subjectaccessreviews', 'localsubjectaccessreviews'),
  rule(read, [''], 'services'),
  rule('create update patch', ['', 'events.k8s.io'], 'events'),
  rule('get', [''], 'endpoints'),
  rule(`create ${read}`, ['certificates.k8s.io'], 'certificatesigningrequests'),
  rule(read, ['storage.k8s.io'], 'csidrivers'),
  rule(read, ['node.k8s.io'], 'runtimeclasses'),
  rule('deletecollection', ['resource.k8s.io'], 'resourceslices'),
];
