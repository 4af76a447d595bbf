/** The kinds that have a file of their own: one line each. */
import type { Kind } from '../meta/kind.ts';
import {
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingV1alpha1,
  mutatingAdmissionPolicyBindingV1beta1,
  mutatingAdmissionPolicyV1alpha1,
  mutatingAdmissionPolicyV1beta1,
} from './admissionregistration/mutating-admission-policy.ts';
import { validatingAdmissionPolicy, validatingAdmissionPolicyBinding } from './admissionregistration/validating-admission-policy.ts';
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './admissionregistration/webhook-configurations.ts';
import { customResourceDefinition } from './apiextensions/custom-resource-definition.ts';
import { apiService } from './apiregistration/api-service.ts';
import { controllerRevision } from './apps/controller-revision.ts';
import { daemonSet } from './apps/daemon-set.ts';
import { deployment } from './apps/deployment.ts';
import { replicaSet } from './apps/replica-set.ts';
import { statefulSet } from './apps/stateful-set.ts';
import { horizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalerV1 } from './autoscaling/horizontal-pod-autoscaler-v1.ts';
import { cronJob } from './batch/cron-job.ts';
import { job } from './batch/job.ts';
import { certificateSigningRequest } from './certificates/certificate-signing-request.ts';
import { clusterTrustBundle, clusterTrustBundleV1alpha1 } from './certificates/cluster-trust-bundle.ts';
import { podCertificateRequest } from './certificates/pod-certificate-request.ts';
import { lease } from './coordination/lease.ts';
import { leaseCandidate, leaseCandidateV1alpha2 } from './coordination/lease-candidate.ts';
import { binding } from './core/binding.ts';
import { componentStatus } from './core/component-status.ts';
import { configMap } from './core/config-map.ts';
import { endpoints } from './core/endpoints.ts';
import { event } from './core/event.ts';
import { limitRange } from './core/limit-range.ts';
import { namespace } from './core/namespace.ts';
import { node } from './core/node.ts';
import { persistentVolume } from './core/persistent-volume.ts';
import { persistentVolumeClaim } from './core/persistent-volume-claim.ts';
import { pod } from './core/pod.ts';
import { podTemplate } from './core/pod-template.ts';
import { replicationController } from './core/replication-controller.ts';
import { resourceQuota } from './core/resource-quota.ts';
import { secret } from './core/secret.ts';
import { service } from './core/service.ts';
import { serviceAccount } from './core/service-account.ts';
import { endpointSlice } from './discovery/endpoint-slice.ts';
import { eventInEvents } from './events/event.ts';
import { flowSchema } from './flowcontrol/flow-schema.ts';
import { priorityLevelConfiguration } from './flowcontrol/priority-level-configuration.ts';
import { ingress } from './networking/ingress.ts';
import { ingressClass } from './networking/ingress-class.ts';
import { ipAddress, ipAddressV1beta1 } from './networking/ip-address.ts';
import { networkPolicy } from './networking/network-policy.ts';
import { serviceCIDR, serviceCIDRV1beta1 } from './networking/service-cidr.ts';
import { runtimeClass } from './node-k8s/runtime-class.ts';
import { podDisruptionBudget } from './policy/pod-disruption-budget.ts';
import { clusterRoleBinding, roleBinding } from './rbac/bindings.ts';
import { clusterRole } from './rbac/cluster-role.ts';
import { role } from './rbac/role.ts';
import { deviceClass, deviceClassV1beta1, deviceClassV1beta2 } from './resource/device-class.ts';
import { deviceTaintRule, deviceTaintRuleV1alpha3 } from './resource/device-taint-rule.ts';
import { resourceClaim, resourceClaimV1beta1, resourceClaimV1beta2 } from './resource/resource-claim.ts';
import { resourceClaimTemplate, resourceClaimTemplateV1beta1, resourceClaimTemplateV1beta2 } from './resource/resource-claim-template.ts';
import { resourceSlice, resourceSliceV1beta1, resourceSliceV1beta2 } from './resource/resource-slice.ts';
import { priorityClass } from './scheduling/priority-class.ts';
import { csiDriver } from './storage/csi-driver.ts';
import { csiNode } from './storage/csi-node.ts';
import { csiStorageCapacity } from './storage/csi-storage-capacity.ts';
import { storageClass } from './storage/storage-class.ts';
import { volumeAttachment } from './storage/volume-attachment.ts';
import { volumeAttributesClass, volumeAttributesClassV1beta1 } from './storage/volume-attributes-class.ts';
import { storageVersionMigration } from './storagemigration/storage-version-migration.ts';

const all = [
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingV1alpha1,
  mutatingAdmissionPolicyBindingV1beta1,
  mutatingAdmissionPolicyV1alpha1,
  mutatingAdmissionPolicyV1beta1,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
  customResourceDefinition,
  apiService,
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  statefulSet,
  horizontalPodAutoscaler,
  horizontalPodAutoscalerV1,
  cronJob,
  job,
  certificateSigningRequest,
  clusterTrustBundle,
  clusterTrustBundleV1alpha1,
  podCertificateRequest,
  lease,
  leaseCandidate,
  leaseCandidateV1alpha2,
  binding,
  componentStatus,
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  podTemplate,
  replicationController,
  resourceQuota,
  secret,
  service,
  serviceAccount,
  endpointSlice,
  eventInEvents,
  flowSchema,
  priorityLevelConfiguration,
  ingress,
  ingressClass,
  ipAddress,
  ipAddressV1beta1,
  networkPolicy,
  serviceCIDR,
  serviceCIDRV1beta1,
  runtimeClass,
  podDisruptionBudget,
  clusterRoleBinding,
  roleBinding,
  clusterRole,
  role,
  deviceClass,
  deviceClassV1beta1,
  deviceClassV1beta2,
  deviceTaintRule,
  deviceTaintRuleV1alpha3,
  resourceClaim,
  resourceClaimV1beta1,
  resourceClaimV1beta2,
  resourceClaimTemplate,
  resourceClaimTemplateV1beta1,
  resourceClaimTemplateV1beta2,
  resourceSlice,
  resourceSliceV1beta1,
  resourceSliceV1beta2,
  priorityClass,
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
  volumeAttributesClassV1beta1,
  storageVersionMigration,
];

export const ownKinds = all as unknown as readonly Kind[];
