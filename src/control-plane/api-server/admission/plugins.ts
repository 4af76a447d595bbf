/**
 * The admission plugins, in upstream's order. RoleEscalation is upstream's check in the storage of roles and bindings,
 * ServiceFields the first half of its allocation of Services; both come last, but for NotBuilt, which is ours. ResourceQuota is an allocator, so that a
 * write that fails gives back what it took.
 * Upstream: pkg/kubeapiserver/options/plugins.go.
 */
import { certificateApprovalPlugin, certificateSigningPlugin, certificateSubjectRestriction } from './certificates.ts';
import { defaultIngressClass, defaultStorageClass } from './default-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { notBuiltPlugin } from './not-built.ts';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { podSecurity } from './pod-security.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { mutatingPolicies } from './policies/mutating-policies.ts';
import { validatingPolicies } from './policies/validating-policies.ts';
import { priority } from './priority.ts';
import { roleEscalation } from './role-escalation.ts';
import { runtimeClassPlugin } from './runtime-class.ts';
import { serviceAccountPlugin } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';
import type { AdmissionTools } from './tools.ts';
import { mutatingWebhooks } from './webhooks/mutating-webhooks.ts';
import { validatingWebhooks } from './webhooks/validating-webhooks.ts';

/** A server without a way out has no webhooks. */
export const admissionPlugins = ({ webhooks, ...tools }: AdmissionTools): readonly AdmissionPlugin[] => [
  namespaceLifecycle(tools.reader),
  limitRanger(tools.reader),
  serviceAccountPlugin(tools),
  nodeRestriction(tools),
  taintNodesByCondition,
  podSecurity(tools.reader),
  priority(tools.reader),
  defaultTolerationSeconds,
  defaultStorageClass(tools.reader),
  storageObjectInUseProtection,
  persistentVolumeClaimResize(tools.reader),
  runtimeClassPlugin(tools.reader),
  certificateApprovalPlugin(tools.authorize),
  certificateSigningPlugin(tools.authorize),
  certificateSubjectRestriction,
  defaultIngressClass(tools.reader),
  podTopologyLabels(tools.reader),
  mutatingPolicies(tools),
  ...(webhooks ? [mutatingWebhooks(webhooks)] : []),
  validatingPolicies(tools),
  ...(webhooks ? [validatingWebhooks(webhooks)] : []),
  roleEscalation(tools),
  notBuiltPlugin(tools.reader),
];
