/**
 * What the signers of `kubernetes.io` ask of a request before they sign it. Pure.
 * Upstream: pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer/signer.go.
 */
import { own } from '../../../api/meta/words.ts';
import type { RequestedCertificate } from '../../pki/certificate-request.ts';

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

type Check = (request: RequestedCertificate, usages: readonly string[]) => string | undefined;

const nodesGroup = 'system:nodes';
const nodePrefix = 'system:node:';
const nameWords: Readonly<Record<string, string>> = { dns: 'DNS', ip: 'IP', email: 'Email', url: 'URI' };

/** A kubelet's certificate: for itself, without key encipherment where its key is not RSA, and with no other usage. */
function kubeletProblem(
  request: RequestedCertificate,
  usages: readonly string[],
  purpose: 'client auth' | 'server auth',
): string | undefined {
  if (request.organizations.length !== 1 || request.organizations[0] !== nodesGroup) return `subject organization is not ${nodesGroup}`;
  const has = (type: string): boolean => request.names.some((name) => name.type === type);
  if (purpose === 'server auth' && !has('dns') && !has('ip')) return 'DNS or IP subjectAltName is required';
  const unwanted = purpose === 'client auth' ? ['dns', 'email', 'ip', 'url'] : ['email', 'url'];
  for (const type of unwanted) if (has(type)) return `${own(nameWords, type)} subjectAltNames are not allowed`;
  const required = [purpose, 'digital signature'];
  const allowed = [...required, 'key encipherment'].sort();
  if (!required.every((usage) => usages.includes(usage)) || !usages.every((usage) => allowed.includes(usage)))
    return `usages did not match [${allowed.join(' ')}]`;
  return request.commonName.startsWith(nodePrefix) ? undefined : `subject common name does not begin with ${nodePrefix}`;
}

function clientProblem(usages: readonly string[]): string | undefined {
  const strange = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (strange !== undefined) return `invalid usage for client certificate: ${strange}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

/** By the names of the signers: why they refuse a request. */
export const signers: Readonly<Record<string, Check>> = {
  'kubernetes.io/kubelet-serving': (request, usages) => kubeletProblem(request, usages, 'server auth'),
  [kubeletClientSigner]: (request, usages) => kubeletProblem(request, usages, 'client auth'),
  'kubernetes.io/kube-apiserver-client': (_request, usages) => clientProblem(usages),
  'kubernetes.io/legacy-unknown': () => undefined,
};
