/**
 * What upstream's strategies say of each resource beside its schema: as data, by `resource.group`. A kind's own file may
 * override any of it.
 * Upstream: pkg/registry/<group>/<resource>/strategy.go, pkg/kubeapiserver/default_storage_factory_builder.go,
 * pkg/apis/<group>/<version>/conversion.go (field labels).
 */
import { checkConfigMapKey, type NameCheck, nameIsAnything, nameIsDnsLabel, nameIsPathSegment } from '../meta/names.ts';

const keys = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Kinds whose metadata.generation counts changes of the spec. */
export const generationKinds = keys(`
  pods podtemplates replicationcontrollers
  daemonsets.apps deployments.apps replicasets.apps statefulsets.apps
  cronjobs.batch jobs.batch
  endpointslices.discovery.k8s.io
  flowschemas.flowcontrol.apiserver.k8s.io prioritylevelconfigurations.flowcontrol.apiserver.k8s.io
  ingressclasses.networking.k8s.io ingresses.networking.k8s.io networkpolicies.networking.k8s.io
  poddisruptionbudgets.policy
  deviceclasses.resource.k8s.io devicetaintrules.resource.k8s.io resourceslices.resource.k8s.io
  priorityclasses.scheduling.k8s.io
  customresourcedefinitions.apiextensions.k8s.io
  mutatingadmissionpolicies.admissionregistration.k8s.io mutatingadmissionpolicybindings.admissionregistration.k8s.io
  mutatingwebhookconfigurations.admissionregistration.k8s.io validatingwebhookconfigurations.admissionregistration.k8s.io
  validatingadmissionpolicies.admissionregistration.k8s.io validatingadmissionpolicybindings.admissionregistration.k8s.io
`);

/** Kinds of which an update creates what is not there. */
export const createOnUpdateKinds = keys(`
  endpoints events limitranges services
  leases.coordination.k8s.io leasecandidates.coordination.k8s.io events.events.k8s.io
  runtimeclasses.node.k8s.io
  clusterrolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io
  rolebindings.rbac.authorization.k8s.io roles.rbac.authorization.k8s.io
`);

/** Kinds of which an update has to name the resourceVersion. */
export const versionedUpdateKinds = keys(`
  mutatingadmissionpolicies.admissionregistration.k8s.io mutatingadmissionpolicybindings.admissionregistration.k8s.io
  mutatingwebhookconfigurations.admissionregistration.k8s.io validatingwebhookconfigurations.admissionregistration.k8s.io
  validatingadmissionpolicies.admissionregistration.k8s.io validatingadmissionpolicybindings.admissionregistration.k8s.io
  customresourcedefinitions.apiextensions.k8s.io apiservices.apiregistration.k8s.io
  clustertrustbundles.certificates.k8s.io podcertificaterequests.certificates.k8s.io
  leases.coordination.k8s.io leasecandidates.coordination.k8s.io
  storageversions.internal.apiserver.k8s.io runtimeclasses.node.k8s.io poddisruptionbudgets.policy
  resourcepoolstatusrequests.resource.k8s.io
  csidrivers.storage.k8s.io csinodes.storage.k8s.io csistoragecapacities.storage.k8s.io volumeattachments.storage.k8s.io
  storageversionmigrations.storagemigration.k8s.io
`);

/** Kinds of which a finished deletion answers with the object. */
export const returnsDeletedKinds = keys(`
  persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services
  deviceclasses.resource.k8s.io resourceclaims.resource.k8s.io resourceclaimtemplates.resource.k8s.io resourceslices.resource.k8s.io
  csidrivers.storage.k8s.io csinodes.storage.k8s.io storageclasses.storage.k8s.io volumeattachments.storage.k8s.io
  volumeattributesclasses.storage.k8s.io
`);

/** Names that are no DNS subdomains. Kinds with rules of their own (CRDs, API services, IP addresses) check them in a hook. */
export const nameChecks: Readonly<Record<string, NameCheck>> = {
  namespaces: nameIsDnsLabel,
  services: nameIsDnsLabel,
  // Named after the object that they are about, whatever its name.
  events: nameIsPathSegment,
  'statefulsets.apps': nameIsDnsLabel,
  'clusterrolebindings.rbac.authorization.k8s.io': nameIsPathSegment,
  'clusterroles.rbac.authorization.k8s.io': nameIsPathSegment,
  'rolebindings.rbac.authorization.k8s.io': nameIsPathSegment,
  'roles.rbac.authorization.k8s.io': nameIsPathSegment,
  'certificatesigningrequests.certificates.k8s.io': nameIsAnything,
  'clustertrustbundles.certificates.k8s.io': nameIsAnything,
  'ipaddresses.networking.k8s.io': nameIsAnything,
  'leasecandidates.coordination.k8s.io': (name) => checkConfigMapKey(name),
};

/** Where objects are kept, if not under the resource's name. */
export const storagePrefixes: Readonly<Record<string, string>> = {
  replicationcontrollers: 'controllers',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  services: 'services/specs',
  'ingresses.networking.k8s.io': 'ingress',
  'apiservices.apiregistration.k8s.io': 'apiregistration.k8s.io/apiservices',
  'customresourcedefinitions.apiextensions.k8s.io': 'apiextensions.k8s.io/customresourcedefinitions',
};

/** The stored version, where it is not the newest stable one of the resource's own group. */
export const storageVersions: Readonly<Record<string, { readonly group: string; readonly version: string }>> = {
  'events.events.k8s.io': { group: '', version: 'v1' },
};

/** The version that upstream stores, as discovery's hash has it, where ours differs from it. */
export const hashedVersions: Readonly<Record<string, string>> = {
  'mutatingadmissionpolicies.admissionregistration.k8s.io': 'v1beta1',
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': 'v1beta1',
  'customresourcedefinitions.apiextensions.k8s.io': 'v1beta1',
};

/** Short names that the resource table lacks. */
export const shortNames: Readonly<Record<string, readonly string[]>> = { 'ipaddresses.networking.k8s.io': ['ip'] };

/** Seconds after which the store deletes an object. */
export const ttlSeconds: Readonly<Record<string, number>> = { events: 3600, 'events.events.k8s.io': 3600 };

/**
 * Fields that a field selector may name, where these are not just the name and the namespace: field to its path in the
 * object and what an absent one counts as. Upstream's lists are whole, so a kind here has the namespace only if it says so.
 */
const named = { 'metadata.name': '' };
const placed = { ...named, 'metadata.namespace': '' };
export const selectablePaths: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pods: {
    ...placed,
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  },
  nodes: { ...named, 'spec.unschedulable': 'false' },
  namespaces: { ...named, 'status.phase': '' },
  secrets: { ...placed, type: '' },
  services: { ...placed, 'spec.clusterIP': '', 'spec.type': '' },
  replicationcontrollers: { ...placed, 'status.replicas': '0' },
  'certificatesigningrequests.certificates.k8s.io': { ...named, 'spec.signerName': '' },
  'clustertrustbundles.certificates.k8s.io': { ...named, 'spec.signerName': '' },
  'podcertificaterequests.certificates.k8s.io': { ...named, 'spec.signerName': '', 'spec.podName': '', 'spec.nodeName': '' },
  'jobs.batch': placed,
  'resourceslices.resource.k8s.io': { ...named, 'spec.nodeName': '', 'spec.driver': '' },
  events: {
    ...placed,
    'involvedObject.kind': '',
    'involvedObject.namespace': '',
    'involvedObject.name': '',
    'involvedObject.uid': '',
    'involvedObject.apiVersion': '',
    'involvedObject.resourceVersion': '',
    'involvedObject.fieldPath': '',
    reason: '',
    reportingComponent: '',
    type: '',
  },
  'events.events.k8s.io': {
    ...placed,
    'regarding.kind': '',
    'regarding.namespace': '',
    'regarding.name': '',
    'regarding.uid': '',
    'regarding.apiVersion': '',
    'regarding.resourceVersion': '',
    'regarding.fieldPath': '',
    reason: '',
    reportingController: '',
    type: '',
  },
};
export const selectableByDefault = placed;

/** What is said of a field that a selector may not name, where it is not what most kinds say. */
export const fieldRefusals: Readonly<Record<string, (field: string, version: string) => string>> = {
  'jobs.batch': (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  'resourceslices.resource.k8s.io': (field, version) =>
    `field label not supported for resource.k8s.io/${version}, Kind=ResourceSlice: ${field}`,
};
