/**
 * Our table beside the type table: constants that upstream keeps in code. Defaults that need no condition, bounds, and
 * where the type table says more (or less) than upstream enforces. Keys are type names without their common beginning.
 * What depends on other fields is said in the hooks of the kinds.
 * Upstream: pkg/apis/<group>/v1/defaults.go, pkg/apis/<group>/validation/validation.go.
 */
import { own } from '../meta/words.ts';

/** A field's rules. */
export interface FieldRules {
  /** what an absent (or zero, where upstream can't tell them apart) field becomes */
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
}

type Rules = Readonly<Record<string, FieldRules>>;

const is = (value: unknown): FieldRules => ({ default: value });
const nonNegative: FieldRules = { min: 0 };
const countOf = (value: number): FieldRules => ({ default: value, min: 0 });

const webhook: Rules = {
  failurePolicy: is('Fail'),
  matchPolicy: is('Equivalent'),
  namespaceSelector: is({}),
  objectSelector: is({}),
  timeoutSeconds: is(10),
};
const container: Rules = {
  terminationMessagePath: is('/dev/termination-log'),
  terminationMessagePolicy: is('File'),
};
const defaultMode: Rules = { defaultMode: is(420) };
const deviceRequest: Rules = { allocationMode: is('ExactCount') };

/** By type (`core.v1.Container`: io.k8s.api.core.v1.Container) and field. */
const ownRules: Readonly<Record<string, Rules>> = {
  'admissionregistration.v1.MatchResources': {
    matchPolicy: is('Equivalent'),
    namespaceSelector: is({}),
    objectSelector: is({}),
  },
  'admissionregistration.v1.MutatingAdmissionPolicySpec': { failurePolicy: is('Fail') },
  'admissionregistration.v1.MutatingWebhook': { ...webhook, reinvocationPolicy: is('Never') },
  'admissionregistration.v1.NamedRuleWithOperations': { scope: is('*') },
  'admissionregistration.v1.RuleWithOperations': { scope: is('*') },
  'admissionregistration.v1.ServiceReference': { port: { default: 443, min: 1, max: 65535 } },
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': { failurePolicy: is('Fail') },
  'admissionregistration.v1.ValidatingWebhook': webhook,
  'apps.v1.ControllerRevision': { revision: nonNegative },
  'apps.v1.DaemonSetSpec': { revisionHistoryLimit: countOf(10), minReadySeconds: nonNegative },
  'apps.v1.DaemonSetUpdateStrategy': { type: is('RollingUpdate') },
  'apps.v1.DeploymentSpec': {
    replicas: countOf(1),
    revisionHistoryLimit: countOf(10),
    progressDeadlineSeconds: countOf(600),
    minReadySeconds: nonNegative,
  },
  'apps.v1.DeploymentStrategy': { type: is('RollingUpdate') },
  'apps.v1.ReplicaSetSpec': { replicas: countOf(1), minReadySeconds: nonNegative },
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy': { whenDeleted: is('Retain'), whenScaled: is('Retain') },
  'apps.v1.StatefulSetSpec': {
    podManagementPolicy: is('OrderedReady'),
    persistentVolumeClaimRetentionPolicy: is({}),
    replicas: countOf(1),
    revisionHistoryLimit: is(10),
    minReadySeconds: nonNegative,
  },
  'authentication.v1.TokenRequestSpec': { expirationSeconds: is(3600) },
  'autoscaling.v1.HorizontalPodAutoscalerSpec': { minReplicas: is(1) },
  'autoscaling.v2.HorizontalPodAutoscalerSpec': { minReplicas: is(1) },
  'batch.v1.CronJobSpec': {
    concurrencyPolicy: is('Allow'),
    suspend: is(false),
    successfulJobsHistoryLimit: countOf(3),
    failedJobsHistoryLimit: countOf(1),
    startingDeadlineSeconds: nonNegative,
  },
  'batch.v1.JobSpec': { activeDeadlineSeconds: nonNegative, ttlSecondsAfterFinished: nonNegative },
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': { status: is('True') },
  'core.v1.AzureDiskVolumeSource': { readOnly: is(false) },
  'core.v1.ConfigMapVolumeSource': defaultMode,
  'core.v1.Container': container,
  'core.v1.DownwardAPIVolumeSource': defaultMode,
  'core.v1.EndpointPort': { protocol: is('TCP') },
  'core.v1.EphemeralContainer': container,
  'core.v1.FileKeySelector': { optional: is(false) },
  'core.v1.GRPCAction': { service: is('') },
  'core.v1.HTTPGetAction': { path: is('/'), scheme: is('HTTP') },
  'core.v1.HostPathVolumeSource': { type: is('') },
  'core.v1.NamespaceStatus': { phase: is('Active') },
  'core.v1.ObjectFieldSelector': { apiVersion: is('v1') },
  'core.v1.PersistentVolumeClaimSpec': { volumeMode: is('Filesystem') },
  'core.v1.PersistentVolumeClaimStatus': { phase: is('Pending') },
  'core.v1.PersistentVolumeSpec': { persistentVolumeReclaimPolicy: is('Retain'), volumeMode: is('Filesystem') },
  'core.v1.PersistentVolumeStatus': { phase: is('Pending') },
  'core.v1.PodSpec': {
    dnsPolicy: is('ClusterFirst'),
    restartPolicy: is('Always'),
    securityContext: is({}),
    terminationGracePeriodSeconds: is(30),
    schedulerName: is('default-scheduler'),
  },
  'core.v1.Probe': {
    timeoutSeconds: is(1),
    periodSeconds: is(10),
    successThreshold: is(1),
    failureThreshold: is(3),
  },
  'core.v1.ProjectedVolumeSource': defaultMode,
  'core.v1.ReplicationControllerSpec': { replicas: nonNegative, minReadySeconds: nonNegative },
  'core.v1.Secret': { type: is('Opaque') },
  'core.v1.SecretVolumeSource': defaultMode,
  'core.v1.ServiceAccountTokenProjection': { expirationSeconds: is(3600) },
  'core.v1.ServiceSpec': { sessionAffinity: is('None'), type: is('ClusterIP') },
  'discovery.v1.EndpointPort': { name: is(''), protocol: is('TCP') },
  'flowcontrol.v1.ExemptPriorityLevelConfiguration': {
    nominalConcurrencyShares: countOf(0),
    lendablePercent: { default: 0, min: 0, max: 100 },
  },
  'flowcontrol.v1.FlowSchemaSpec': { matchingPrecedence: { default: 1000, min: 1, max: 10_000 } },
  'flowcontrol.v1.LimitedPriorityLevelConfiguration': {
    nominalConcurrencyShares: countOf(30),
    lendablePercent: { default: 0, min: 0, max: 100 },
  },
  'flowcontrol.v1.QueuingConfiguration': { handSize: is(8), queues: is(64), queueLengthLimit: is(50) },
  'networking.v1.IngressClassParametersReference': { scope: is('Cluster') },
  'networking.v1.NetworkPolicyPort': { protocol: is('TCP') },
  'rbac.v1.RoleRef': { apiGroup: is('rbac.authorization.k8s.io') },
  'resource.v1.DeviceSubRequest': deviceRequest,
  'resource.v1.ExactDeviceRequest': deviceRequest,
  'scheduling.v1.PriorityClass': { preemptionPolicy: is('PreemptLowerPriority') },
  'storage.v1.CSIDriverSpec': {
    attachRequired: is(true),
    podInfoOnMount: is(false),
    storageCapacity: is(false),
    fsGroupPolicy: is('ReadWriteOnceWithFSType'),
    volumeLifecycleModes: is(['Persistent']),
    requiresRepublish: is(false),
    seLinuxMount: is(false),
  },
  'storage.v1.StorageClass': { reclaimPolicy: is('Delete'), volumeBindingMode: is('Immediate') },
  'apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec': { conversion: is({ strategy: 'None' }) },
  'apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference': { port: is(443) },
  'kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference': { port: is(443) },
};

/** Required by the type table, but upstream takes them empty, or refuses them in words of its own. */
const mayBeEmpty: ReadonlySet<string> = new Set([
  'core.v1.HTTPHeader.value',
  'core.v1.Sysctl.value',
  'core.v1.ComponentCondition.status',
  'core.v1.ComponentCondition.type',
  'core.v1.ConfigMapNodeConfigSource.kubeletConfigKey',
  'core.v1.ConfigMapNodeConfigSource.name',
  'core.v1.ConfigMapNodeConfigSource.namespace',
  'apps.v1.DaemonSetSpec.selector',
  'batch.v1.PodFailurePolicy.rules',
  'certificates.v1.CertificateSigningRequestSpec.request',
  'core.v1.LimitRangeSpec.limits',
  'core.v1.NodeSelectorRequirement.operator',
  'core.v1.PodSpec.containers',
  'core.v1.ScaleIOVolumeSource.secretRef',
  'discovery.v1.ForZone.name',
  'storage.v1.TokenRequest.audience',
  'storage.v1.CSINodeSpec.drivers',
  'authentication.v1.TokenReviewSpec.token',
  'events.v1.EventSeries.lastObservedTime',
  'apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement.operator',
  'apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement.key',
]);

/**
 * Types of which the hooks say all that is wrong, since upstream names it by another path or at another time: without the
 * index of a list, under the name of an older field, not at all while something before it is wrong.
 */
const saidByHooks: ReadonlySet<string> = new Set([
  'apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec',
  'core.v1.CephFSPersistentVolumeSource',
  'core.v1.ContainerRestartRule',
  'core.v1.DownwardAPIVolumeFile',
  'core.v1.GCEPersistentDiskVolumeSource',
  'core.v1.HostPathVolumeSource',
  'core.v1.ScopedResourceSelectorRequirement',
  'core.v1.ServiceAccountTokenProjection',
  'core.v1.Taint',
  'networking.v1.HTTPIngressPath',
]);

const shortName = (typeName: string): string => typeName.replace(/^io\.k8s\.(?:api\.)?/, '');

/** The rules of a type's fields; undefined when there are none. Beta and alpha versions share those of v1. */
export function rulesOf(typeName: string): Rules | undefined {
  const short = shortName(typeName);
  return own(ownRules, short) ?? own(ownRules, short.replace(/\.v\d+(?:alpha|beta)\d+\./, '.v1.'));
}

/** Whether the tables have something to say of an object of this type. */
export const isCheckedByTable = (typeName: string): boolean => !saidByHooks.has(shortName(typeName));

/** Whether a required field of the type table is refused when it is empty. */
export function isEnforced(typeName: string, field: string): boolean {
  return !mayBeEmpty.has(`${shortName(typeName)}.${field}`);
}
