/**
 * What a kubelet may write: its own Node (without taints and foreign labels), lease and CSINode; mirror pods, and the
 * status and eviction of pods on it; tokens for such pods. The node authorizer let the request through by its name
 * alone; this looks at what it says.
 * What it does not do: pod certificate requests.
 * Upstream: plugin/pkg/admission/noderestriction/admission.go.
 */
import type { TokenRequest } from '../../../api/generated/authentication-v1.ts';
import {
  type CertificateSigningRequest,
  CSIDriver,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  type ResourceSlice,
} from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { nodeLeaseNamespace } from '../../../api/meta/well-known.ts';
import { own } from '../../../api/meta/words.ts';
import { readCertificateRequest, requestPem } from '../../pki/certificate-request.ts';
import type { AdmissionRequest } from '../request/request.ts';
import { nodeNameOf } from '../request/user.ts';
import { refused } from './forbidden.ts';
import { nodeProblem } from './node-restriction-node.ts';
import { mirrorPodProblem } from './node-restriction-pod.ts';
import type { AdmissionPlugin } from './plugin.ts';
import type { AdmissionTools } from './tools.ts';

type Tools = Pick<AdmissionTools, 'reader' | 'authorize'>;
/** Why not; undefined when it may. */
type Check = (tools: Tools, node: string, request: AdmissionRequest) => string | undefined | Promise<string | undefined>;

const checks: Readonly<Record<string, Check>> = {
  pods: (tools, node, request) => checkPod(tools, node, request),
  nodes: (_tools, node, request) => nodeProblem(node, request),
  persistentvolumeclaims: (_tools, node, request) => checkClaim(node, request),
  serviceaccounts: (tools, node, request) => checkToken(tools, node, request),
  'leases.coordination.k8s.io': (_tools, node, request) => checkLease(node, request),
  'csinodes.storage.k8s.io': (_tools, node, request) =>
    nameOf(request) === node ? undefined : 'can only access CSINode with the same name as the requesting node',
  'resourceslices.resource.k8s.io': (_tools, node, request) => checkSlice(node, request),
  'certificatesigningrequests.certificates.k8s.io': (_tools, node, request) => checkSigningRequest(node, request),
};
const resourceKey = (kind: { group: string; resource: string }): string => (kind.group ? `${kind.resource}.${kind.group}` : kind.resource);

export const nodeRestriction = (tools: Tools): AdmissionPlugin => ({
  name: 'NodeRestriction',
  handles: (kind) => own(checks, resourceKey(kind)) !== undefined,
  admit(request) {
    const node = nodeNameOf(request.user);
    if (node === undefined) return undefined;
    if (node === '') throw refused(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
    return refuseFor(request, own(checks, resourceKey(request.kind))?.(tools, node, request));
  },
});

function refuseFor(request: AdmissionRequest, problem: string | undefined | Promise<string | undefined>): undefined | Promise<undefined> {
  if (problem instanceof Promise) return problem.then((text) => refuseFor(request, text));
  if (problem !== undefined) throw refused(request, problem);
  return undefined;
}

const nameOf = ({ name, object }: AdmissionRequest): string => object?.metadata.name ?? name;
const quote = (text: string): string => JSON.stringify(text);

function checkPod({ reader }: Tools, node: string, request: AdmissionRequest): string | undefined {
  const { operation, subresource, namespace = '', name } = request;
  const existing = (): Pod => {
    const pod = (request.oldObject as Pod | undefined) ?? reader.get(Pod, { namespace, name });
    if (!pod) throw errors.notFound(Pod, name);
    return pod;
  };
  switch (subresource ?? '') {
    case '':
      if (operation === 'CREATE') return mirrorPodProblem(reader, node, request.object as Pod);
      if (operation !== 'DELETE')
        return `unexpected operation ${quote(operation)}, node ${quote(node)} can only create and delete mirror pods`;
      return existing().spec.nodeName === node ? undefined : `node ${quote(node)} can only delete pods with spec.nodeName set to itself`;
    case 'status':
      return operation === 'UPDATE' ? checkPodStatus(node, existing(), request.object as Pod) : `unexpected operation ${quote(operation)}`;
    case 'eviction':
      if (operation !== 'CREATE') return `unexpected operation ${operation}`;
      return reader.get(Pod, { namespace, name })?.spec.nodeName === node
        ? undefined
        : `node ${node} can only evict pods with spec.nodeName set to itself`;
    default:
      return `unexpected pod subresource ${quote(subresource ?? '')}, only 'status' and 'eviction' are allowed`;
  }
}

function checkPodStatus(node: string, old: Pod, pod: Pod): string | undefined {
  if (old.spec.nodeName !== node) return `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`;
  if (!equalSemantically(old.metadata.labels, pod.metadata.labels)) return `node ${quote(node)} cannot update labels through pod status`;
  if (!equalSemantically(old.status.resourceClaimStatuses, pod.status.resourceClaimStatuses))
    return `node ${quote(node)} cannot update resource claim statues`;
  if (!equalSemantically(old.status.extendedResourceClaimStatus, pod.status.extendedResourceClaimStatus))
    return `node ${quote(node)} cannot update extended resource claim status`;
  return undefined;
}

function checkClaim(node: string, { operation, subresource, object, oldObject }: AdmissionRequest): string | undefined {
  if (subresource !== 'status') return 'may only update PVC status';
  if (operation !== 'UPDATE') return `unexpected operation ${quote(operation)}`;
  const rest = (claim: PersistentVolumeClaim): unknown => {
    const { resourceVersion: _version, managedFields: _fields, ...metadata } = claim.metadata;
    const { capacity: _capacity, conditions: _conditions, ...more } = claim.status ?? {};
    const { allocatedResources: _allocated, allocatedResourceStatuses: _statuses, ...status } = more;
    return { ...claim, metadata, status };
  };
  if (equalSemantically(rest(object as PersistentVolumeClaim), rest(oldObject as PersistentVolumeClaim))) return undefined;
  return `node ${quote(node)} is not allowed to update fields other than status.quantity and status.conditions`;
}

async function checkToken(tools: Tools, node: string, request: AdmissionRequest): Promise<string | undefined> {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return undefined;
  const { spec } = request.object as unknown as TokenRequest;
  const ref = spec?.boundObjectRef;
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) return 'node requested token not bound to a pod';
  if (!ref.uid) return 'node requested token with a pod binding without a uid';
  const pod = tools.reader.get(Pod, { namespace: request.namespace ?? '', name: ref.name });
  if (!pod) throw errors.notFound(Pod, ref.name);
  if (ref.uid !== pod.metadata.uid) {
    const record = 'does not match the UID in record. The object might have been deleted and then recreated';
    return `the UID in the bound object reference (${ref.uid}) ${record}`;
  }
  if (pod.spec.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node';
  const audiences = spec?.audiences ?? [];
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences';
  return await checkAudience(tools, request, { pod, audience: audiences[0] ?? '' });
}

/** A kubelet asks for the audiences that its pod's volumes name, and for those it is allowed to. */
async function checkAudience(
  { reader, authorize }: Tools,
  request: AdmissionRequest,
  { pod, audience }: { pod: Pod; audience: string },
): Promise<string | undefined> {
  const { namespace } = pod.metadata;
  const isNamed = (pod.spec.volumes ?? []).some((volume) => {
    if (volume.projected?.sources?.some(({ serviceAccountToken: token }) => token && (token.audience ?? '') === audience)) return true;
    const claimName = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined);
    const claim = claimName === undefined ? undefined : reader.get(PersistentVolumeClaim, { namespace, name: claimName });
    const bound = claim && reader.get(PersistentVolume, { name: claim.spec?.volumeName ?? '' });
    const name = volume.csi?.driver ?? bound?.spec.csi?.driver;
    const driver = name === undefined ? undefined : reader.get(CSIDriver, { name });
    return driver?.spec.tokenRequests?.some((each) => each.audience === audience) ?? false;
  });
  if (isNamed) return undefined;
  const { user, name } = request;
  const resource = { group: '', version: 'v1', resource: audience, namespace, name: name || undefined };
  const { verdict } = await authorize({ user, verb: 'request-serviceaccounts-token-audience', path: '', resource });
  if (verdict === 'allow') return undefined;
  return `audience ${quote(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
}

function checkLease(node: string, request: AdmissionRequest): string | undefined {
  if (request.namespace !== nodeLeaseNamespace) return 'can only access leases in the "kube-node-lease" system namespace';
  return nameOf(request) === node ? undefined : 'can only access node lease with the same name as the requesting node';
}

function checkSlice(node: string, { operation, object, oldObject }: AdmissionRequest): string | undefined {
  const slice = (operation === 'DELETE' ? oldObject : object) as ResourceSlice | undefined;
  if (operation === 'UPDATE' || operation === 'CONNECT' || slice?.spec.nodeName === node) return undefined;
  return `can only ${operation === 'CREATE' ? 'create' : 'delete'} ResourceSlice with the same NodeName as the requesting node`;
}

const nodeSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

async function checkSigningRequest(node: string, { operation, object }: AdmissionRequest): Promise<string | undefined> {
  const { spec } = (object ?? {}) as Partial<CertificateSigningRequest>;
  if (operation !== 'CREATE' || !spec || !nodeSigners.includes(spec.signerName)) return undefined;
  const subject = await readCertificateRequest(requestPem(spec));
  if (!subject) return 'unable to parse csr: PEM block type must be CERTIFICATE REQUEST';
  return subject.commonName === `system:node:${node}` ? undefined : `can only create a node CSR with CN=system:node:${node}`;
}
