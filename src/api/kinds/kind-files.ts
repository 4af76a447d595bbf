/** The kinds that have a file of their own: one line for each file. */
export {
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicyBindingV1alpha1,
  mutatingAdmissionPolicyBindingV1beta1,
  mutatingAdmissionPolicyV1alpha1,
  mutatingAdmissionPolicyV1beta1,
} from './admissionregistration/mutating-admission-policy.ts';
export { validatingAdmissionPolicy, validatingAdmissionPolicyBinding } from './admissionregistration/validating-admission-policy.ts';
export { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './admissionregistration/webhook-configurations.ts';
export { customResourceDefinition } from './apiextensions/custom-resource-definition.ts';
export { apiService } from './apiregistration/api-service.ts';
export { controllerRevision } from './apps/controller-revision.ts';
export { daemonSet } from './apps/daemon-set.ts';
export { deployment } from './apps/deployment.ts';
export { replicaSet } from './apps/replica-set.ts';
export { statefulSet } from './apps/stateful-set.ts';
export { horizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts';
export { horizontalPodAutoscalerV1 } from './autoscaling/horizontal-pod-autoscaler-v1.ts';
export { cronJob } from './batch/cron-job.ts';
export { job } from './batch/job.ts';
export { certificateSigningRequest } from './certificates/certificate-signing-request.ts';
export { clusterTrustBundle, clusterTrustBundleV1alpha1 } from './certificates/cluster-trust-bundle.ts';
export { podCertificateRequest } from './certificates/pod-certificate-request.ts';
export { lease } from './coordination/lease.ts';
export { leaseCandidate, leaseCandidateV1alpha2 } from './coordination/lease-candidate.ts';
export { binding } from './core/binding.ts';
export { componentStatus } from './core/component-status.ts';
export { configMap } from './core/config-map.ts';
export { endpoints } from './core/endpoints.ts';
export { event } from './core/event.ts';
export { limitRange } from './core/limit-range.ts';
export { namespace } from './core/namespace.ts';
export { node } from './core/node.ts';
export { persistentVolume } from './core/persistent-volume.ts';
export { persistentVolumeClaim } from './core/persistent-volume-claim.ts';
export { pod } from './core/pod.ts';
export { podTemplate } from './core/pod-template.ts';
export { replicationController } from './core/replication-controller.ts';
export { resourceQuota } from './core/resource-quota.ts';
export { secret } from './core/secret.ts';
export { service } from './core/service.ts';
export { serviceAccount } from './core/service-account.ts';
export { endpointSlice } from './discovery/endpoint-slice.ts';
export { eventInEvents } from './events/event.ts';
export { flowSchema } from './flowcontrol/flow-schema.ts';
export { priorityLevelConfiguration } from './flowcontrol/priority-level-configuration.ts';
export { storageVersion } from './internal/storage-version.ts';
export { ingress } from './networking/ingress.ts';
export { ingressClass } from './networking/ingress-class.ts';
export { ipAddress, ipAddressV1beta1 } from './networking/ip-address.ts';
export { networkPolicy } from './networking/network-policy.ts';
export { serviceCIDR, serviceCIDRV1beta1 } from './networking/service-cidr.ts';
export { runtimeClass } from './node/runtime-class.ts';
export { podDisruptionBudget } from './policy/pod-disruption-budget.ts';
export { clusterRoleBinding, roleBinding } from './rbac/bindings.ts';
export { clusterRole } from './rbac/cluster-role.ts';
export { role } from './rbac/role.ts';
export { deviceClass, deviceClassV1beta1, deviceClassV1beta2 } from './resource/device-class.ts';
export { deviceTaintRule, deviceTaintRuleV1alpha3 } from './resource/device-taint-rule.ts';
export { resourceClaim, resourceClaimV1beta1, resourceClaimV1beta2 } from './resource/resource-claim.ts';
export { resourceClaimTemplate, resourceClaimTemplateV1beta1, resourceClaimTemplateV1beta2 } from './resource/resource-claim-template.ts';
export { resourcePoolStatusRequest } from './resource/resource-pool-status-request.ts';
export { resourceSlice, resourceSliceV1beta1, resourceSliceV1beta2 } from './resource/resource-slice.ts';
export { podGroup, workload } from './scheduling/pod-groups.ts';
export { priorityClass } from './scheduling/priority-class.ts';
export { csiDriver } from './storage/csi-driver.ts';
export { csiNode } from './storage/csi-node.ts';
export { csiStorageCapacity } from './storage/csi-storage-capacity.ts';
export { storageClass } from './storage/storage-class.ts';
export { volumeAttachment } from './storage/volume-attachment.ts';
export { volumeAttributesClass, volumeAttributesClassV1beta1 } from './storage/volume-attributes-class.ts';
export { storageVersionMigration } from './storagemigration/storage-version-migration.ts';
