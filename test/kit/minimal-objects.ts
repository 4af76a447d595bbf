/**
 * For each kind that can be created: the least that makes an object of it valid, by `resource.group/version`. Its name
 * is `x`, and its namespace (where it has one) `default`. For tests that go over all kinds: what they send is one of
 * these with something changed.
 */
import { builtInKinds } from '../../src/api/kinds/all.ts';
import type { Kind } from '../../src/api/meta/kind.ts';
import { apiVersionOf } from '../../src/api/meta/object.ts';

export type Json = { readonly [field: string]: unknown };

const container = { name: 'c', image: 'i' };
const podSpec = { containers: [container] };
const labels = { a: 'b' };
const selector = { matchLabels: labels };
const template = { metadata: { labels }, spec: podSpec };
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
const webhook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://example.com/a' },
  rules: [rule],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  admissionReviewVersions: ['v1'],
};
const mutatingPolicy = {
  spec: {
    matchConstraints: { resourceRules: [rule] },
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/spec'}]" } }],
    reinvocationPolicy: 'Never',
  },
};
const deviceRequest = { name: 'r', exactly: { deviceClassName: 'c.example.com' } };
const claim = { spec: { devices: { requests: [deviceRequest] } } };
const oldClaim = { spec: { devices: { requests: [{ name: 'r', deviceClassName: 'c.example.com' }] } } };
const slice = { driver: 'd.example.com', nodeName: 'n', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } };
const taintRule = { spec: { taint: { key: 'a', effect: 'NoSchedule' } } };
const address = { metadata: { name: '10.96.0.77' }, spec: { parentRef: { resource: 'services', name: 's', namespace: 'default' } } };
const candidate = {
  spec: {
    leaseName: 'l',
    binaryVersion: '1.36.0',
    emulationVersion: '1.36.0',
    strategy: 'OldestEmulationVersion',
  },
};
const autoscaler = { spec: { maxReplicas: 1, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } } };
/** A certificate request of the name x. */
const requestText =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIR01HNENBUUF3RERFS01BZ0dBMVVFQXd3QmVEQlpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQQpCUFZ6RmsweE85UWxHUWRNSTlkQTRjZ010bWlNdnd2bmFWVjIxTGdqOGhWQzFPbG5sVUhMcFh4dTgxOWlLK255CkNCQytPYnV6T3FzblgrWEpscEpQR2FXZ0FEQUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpQlozY2o0SE5WcEI2T00KUmx5NVRFaHU4cisycUFKTFFXQ0xXbUpERnFDZDBBSWhBUGNsTElaTWhtL1hOVDMwMlZpSnBvM2Eyc2pUdkpJVQozbWtwcndDR3BxTE8KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';

/** What the kinds need beside their names. */
const needed: Readonly<Record<string, Json>> = {
  'bindings/v1': { target: { kind: 'Node', name: 'n' } },
  'endpoints/v1': { subsets: [] },
  'events/v1': { involvedObject: { namespace: 'default' } },
  'persistentvolumeclaims/v1': { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } } },
  'pods/v1': { spec: podSpec },
  'podtemplates/v1': { template: { spec: podSpec } },
  'replicationcontrollers/v1': { spec: { selector: labels, template } },
  'services/v1': { spec: { ports: [{ port: 80 }] } },
  'persistentvolumes/v1': { spec: { capacity: { storage: '1' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } },
  'mutatingadmissionpolicies.admissionregistration.k8s.io/v1': mutatingPolicy,
  'mutatingadmissionpolicies.admissionregistration.k8s.io/v1alpha1': mutatingPolicy,
  'mutatingadmissionpolicies.admissionregistration.k8s.io/v1beta1': mutatingPolicy,
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io/v1': { spec: { policyName: 'p' } },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io/v1alpha1': { spec: { policyName: 'p' } },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io/v1beta1': { spec: { policyName: 'p' } },
  'mutatingwebhookconfigurations.admissionregistration.k8s.io/v1': { webhooks: [webhook] },
  'validatingwebhookconfigurations.admissionregistration.k8s.io/v1': { webhooks: [webhook] },
  'validatingadmissionpolicies.admissionregistration.k8s.io/v1': {
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }] },
  },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io/v1': { spec: { policyName: 'p', validationActions: ['Deny'] } },
  'customresourcedefinitions.apiextensions.k8s.io/v1': {
    metadata: { name: 'as.example.com' },
    spec: {
      group: 'example.com',
      names: { plural: 'as', kind: 'A' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  'apiservices.apiregistration.k8s.io/v1': {
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 10 },
  },
  'controllerrevisions.apps/v1': { data: {}, revision: 1 },
  'daemonsets.apps/v1': { spec: { selector, template } },
  'deployments.apps/v1': { spec: { selector, template } },
  'replicasets.apps/v1': { spec: { selector, template } },
  'statefulsets.apps/v1': { spec: { selector, template, serviceName: 's' } },
  'horizontalpodautoscalers.autoscaling/v1': autoscaler,
  'horizontalpodautoscalers.autoscaling/v2': autoscaler,
  'cronjobs.batch/v1': {
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } } },
  },
  'jobs.batch/v1': { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  'certificatesigningrequests.certificates.k8s.io/v1': {
    spec: { request: requestText, signerName: 'example.com/s', usages: ['client auth'] },
  },
  'leasecandidates.coordination.k8s.io/v1alpha2': candidate,
  'leasecandidates.coordination.k8s.io/v1beta1': candidate,
  'endpointslices.discovery.k8s.io/v1': { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] },
  'events.events.k8s.io/v1': {
    eventTime: '2026-01-02T03:04:05.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    reason: 'r',
    action: 'a',
    type: 'Normal',
    regarding: { namespace: 'default' },
  },
  'flowschemas.flowcontrol.apiserver.k8s.io/v1': { spec: { priorityLevelConfiguration: { name: 'p' } } },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io/v1': {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  },
  'ingressclasses.networking.k8s.io/v1': { spec: { controller: 'example.com/c' } },
  'ingresses.networking.k8s.io/v1': { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  'ipaddresses.networking.k8s.io/v1': address,
  'ipaddresses.networking.k8s.io/v1beta1': address,
  'servicecidrs.networking.k8s.io/v1': { spec: { cidrs: ['10.100.0.0/16'] } },
  'servicecidrs.networking.k8s.io/v1beta1': { spec: { cidrs: ['10.100.0.0/16'] } },
  'runtimeclasses.node.k8s.io/v1': { handler: 'h' },
  'clusterrolebindings.rbac.authorization.k8s.io/v1': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
  },
  'rolebindings.rbac.authorization.k8s.io/v1': { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' } },
  'podgroups.scheduling.k8s.io/v1alpha2': { spec: { schedulingPolicy: { basic: {} } } },
  'resourceclaims.resource.k8s.io/v1': claim,
  'resourceclaims.resource.k8s.io/v1beta1': oldClaim,
  'resourceclaims.resource.k8s.io/v1beta2': claim,
  'resourceclaimtemplates.resource.k8s.io/v1': { spec: claim },
  'resourceclaimtemplates.resource.k8s.io/v1beta1': { spec: oldClaim },
  'resourceclaimtemplates.resource.k8s.io/v1beta2': { spec: claim },
  'resourceslices.resource.k8s.io/v1': { spec: slice },
  'resourceslices.resource.k8s.io/v1beta1': { spec: slice },
  'resourceslices.resource.k8s.io/v1beta2': { spec: slice },
  'devicetaintrules.resource.k8s.io/v1alpha3': taintRule,
  'devicetaintrules.resource.k8s.io/v1beta2': taintRule,
  'priorityclasses.scheduling.k8s.io/v1': { value: 1 },
  'csinodes.storage.k8s.io/v1': { spec: { drivers: [] } },
  'csistoragecapacities.storage.k8s.io/v1': { storageClassName: 's' },
  'storageclasses.storage.k8s.io/v1': { provisioner: 'p.example.com' },
  'volumeattachments.storage.k8s.io/v1': { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
  'volumeattributesclasses.storage.k8s.io/v1': { driverName: 'd.example.com', parameters: labels },
  'volumeattributesclasses.storage.k8s.io/v1beta1': { driverName: 'd.example.com', parameters: labels },
  'networkpolicies.networking.k8s.io/v1': { spec: { podSelector: {} } },
};

/** Kinds that no object here is valid of: a trust bundle, a migration, a workload. None of them is served by default. */
const withoutExample = /^(clustertrustbundles|podcertificaterequests|resourcepoolstatusrequests|storageversionmigrations|workloads)$/;

const keyOf = ({ group, version, resource }: Kind): string => `${resource}${group && `.${group}`}/${version}`;

/** Kinds that are served and hold objects. */
export const storedKinds: readonly Kind[] = builtInKinds.filter((kind) => kind.verbs.includes('create') && kind.verbs.includes('get'));
export const kindsWithExample: readonly Kind[] = storedKinds.filter(({ resource }) => !withoutExample.test(resource));

export function minimalObject(kind: Kind): Json & { readonly metadata: Json & { readonly name: string } } {
  const { metadata, ...rest } = needed[keyOf(kind)] ?? {};
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: 'x', ...(kind.namespaced && { namespace: 'default' }), ...(metadata as Json | undefined) },
    ...rest,
  };
}
