/**
 * Certificate signing requests: who may approve and sign for which signer, and that nobody gets a client certificate of
 * the group system:masters this way.
 * Upstream: plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}, pkg/certauthorization.
 */
import { CertificateSigningRequest } from '../../../api/generated/kinds.ts';
import { equalSemantically } from '../../../api/meta/deep-equal.ts';
import { readCertificateRequest, requestPem } from '../../pki/certificate-request.ts';
import type { Authorize } from '../authorization/decide.ts';
import type { AdmissionOperation, UserInfo } from '../request/request.ts';
import { groups } from '../request/user.ts';
import { refused } from './forbidden.ts';
import type { AdmissionPlugin } from './plugin.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';

const handles =
  (wanted: AdmissionOperation, wantedSubresource: string | undefined): AdmissionPlugin['handles'] =>
  (kind, operation, subresource) =>
    kind.resource === CertificateSigningRequest.resource &&
    kind.group === CertificateSigningRequest.group &&
    operation === wanted &&
    subresource === wantedSubresource;

export const certificateApprovalPlugin = (authorize: Authorize): AdmissionPlugin => ({
  name: 'CertificateApproval',
  handles: handles('UPDATE', 'approval'),
  async validate(request) {
    const { signerName } = (request.oldObject as CertificateSigningRequest).spec;
    if (await maySign(authorize, { user: request.user, verb: 'approve', signerName })) return;
    throw refused(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
  },
});

export const certificateSigningPlugin = (authorize: Authorize): AdmissionPlugin => ({
  name: 'CertificateSigning',
  handles: handles('UPDATE', 'status'),
  async validate(request) {
    const [{ status }, old] = [request.object as CertificateSigningRequest, request.oldObject as CertificateSigningRequest];
    if (status.certificate === old.status.certificate && equalSemantically(status.conditions, old.status.conditions)) return;
    const { signerName } = old.spec;
    if (await maySign(authorize, { user: request.user, verb: 'sign', signerName })) return;
    throw refused(request, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`);
  },
});

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: handles('CREATE', undefined),
  async validate(request) {
    const { spec } = request.object as CertificateSigningRequest;
    if (spec.signerName !== clientSigner) return;
    const subject = await readCertificateRequest(requestPem(spec));
    if (!subject) throw refused(request, 'failed to parse CSR: PEM block type must be CERTIFICATE REQUEST');
    if (subject.organizations.includes(groups.masters))
      throw refused(request, `use of ${clientSigner} signer with ${groups.masters} group is not allowed`);
  },
};

/** By the signer's name, or by `domain/*` for all signers of its domain. */
async function maySign(authorize: Authorize, ask: { user: UserInfo; verb: string; signerName: string }): Promise<boolean> {
  const { user, verb, signerName } = ask;
  const slash = signerName.indexOf('/');
  const names = [signerName, `${slash < 0 ? signerName : signerName.slice(0, slash)}/*`];
  for (const name of names) {
    const resource = { group: 'certificates.k8s.io', version: '*', resource: 'signers', name };
    if ((await authorize({ user, verb, path: '', resource })).verdict === 'allow') return true;
  }
  return false;
}
