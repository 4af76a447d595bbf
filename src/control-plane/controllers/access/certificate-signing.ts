/**
 * Signs approved certificate signing requests of the signers that the control plane has itself, with the cluster's
 * authority; what a signer does not sign is marked as failed. Others' signers are left to them.
 * Upstream: pkg/controller/certificates/signer/signer.go.
 */

import { CertificateSigningRequest } from '../../../api/generated/kinds.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { own } from '../../../api/meta/words.ts';
import { type Controller, defineController, TerminalError, watched } from '../../../client/controllers/controller.ts';
import type { Authority } from '../../pki/authority.ts';
import { readCertificateRequest, requestPem } from '../../pki/certificate-request.ts';
import { signers } from './certificate-signers.ts';

const lifeSecondsMin = 600;

export function certificateSigning(sign: Authority['sign']): Controller {
  return defineController({
    name: 'certificatesigningrequest-signing-controller',
    serviceAccount: 'certificate-controller',
    watches: [watched(CertificateSigningRequest)],
    async reconcile(name, { client, clock }) {
      const request = client.informer(CertificateSigningRequest).get(name);
      if (!request || request.status.certificate || isConditionTrue(request.status.conditions, 'Failed')) return;
      const { signerName, usages = [], expirationSeconds } = request.spec;
      const problemOf = own(signers, signerName);
      if (!problemOf || !isApproved(request)) return;
      const pem = requestPem(request.spec);
      const asked = await readCertificateRequest(pem);
      if (!asked) throw new TerminalError('the certificate request could not be read');
      const problem = problemOf(asked, usages);
      const failed = () => ({
        type: 'Failed',
        status: 'True' as const,
        reason: 'SignerValidationFailure',
        message: problem ?? '',
        lastUpdateTime: formatTime(clock.now()),
      });
      const lifeSeconds = expirationSeconds === undefined ? {} : { lifeSeconds: Math.max(expirationSeconds, lifeSecondsMin) };
      const status =
        problem === undefined
          ? { ...request.status, certificate: Buffer.from(await sign(pem, { usages, ...lifeSeconds })).toString('base64') }
          : { ...request.status, conditions: [...(request.status.conditions ?? []), failed()] };
      await client.update(CertificateSigningRequest, { ...request, status }, { subresource: 'status' });
    },
  });
}

/** What is both approved and denied is denied. */
function isApproved({ status }: CertificateSigningRequest): boolean {
  return isConditionTrue(status.conditions, 'Approved') && !isConditionTrue(status.conditions, 'Denied');
}
