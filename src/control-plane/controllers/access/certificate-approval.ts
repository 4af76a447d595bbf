/**
 * Approves the client certificates of kubelets by itself, where whoever asks may have one: a new node's
 * (`certificatesigningrequests/nodeclient`), or the node's own renewal (`selfnodeclient`).
 * Upstream: pkg/controller/certificates/approver/sarapprove.go.
 */
import { CertificateSigningRequest, SubjectAccessReview } from '../../../api/generated/kinds.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';
import { readCertificateRequest, requestPem } from '../../pki/certificate-request.ts';
import { kubeletClientSigner, signers } from './certificate-signers.ts';

export const certificateApproval = defineController({
  name: 'certificatesigningrequest-approving-controller',
  serviceAccount: 'certificate-controller',
  watches: [watched(CertificateSigningRequest)],
  async reconcile(name, { client }) {
    const request = client.informer(CertificateSigningRequest).get(name);
    if (!request || request.status.certificate || request.spec.signerName !== kubeletClientSigner) return;
    const { spec, status } = request;
    if (status.conditions?.some(({ type }) => type === 'Approved' || type === 'Denied')) return;
    const asked = await readCertificateRequest(requestPem(spec));
    if (!asked || signers[kubeletClientSigner]?.(asked, spec.usages ?? []) !== undefined) return;
    const rights = spec.username === asked.commonName ? (['selfnodeclient', 'nodeclient'] as const) : (['nodeclient'] as const);
    for (const subresource of rights) {
      const resourceAttributes = {
        group: 'certificates.k8s.io',
        resource: CertificateSigningRequest.resource,
        subresource,
        verb: 'create',
        version: '*',
      };
      const { username: user, uid, groups, extra } = spec;
      const asking = { ...(user && { user }), ...(uid && { uid }), ...(groups && { groups }), ...(extra && { extra }) };
      const review = await client.create(SubjectAccessReview, { metadata: {}, spec: { ...asking, resourceAttributes } });
      if (!review.status?.allowed) continue;
      const which = subresource === 'selfnodeclient' ? 'self kubelet' : 'kubelet';
      const message = `Auto approving ${which} client certificate after SubjectAccessReview.`;
      const approved = { type: 'Approved', status: 'True' as const, reason: 'AutoApproved', message };
      const conditions = [...(status.conditions ?? []), approved];
      await client.update(CertificateSigningRequest, { ...request, status: { ...status, conditions } }, { subresource: 'approval' });
      return;
    }
  },
});
