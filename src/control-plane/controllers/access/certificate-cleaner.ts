/**
 * Deletes certificate signing requests that nobody needs any more: an hour after they were signed, denied or have
 * failed, or when the certificate ends, and a day after they were made or approved and nothing came of it. Upstream: pkg/controller/certificates/cleaner.
 */
import { X509Certificate } from 'node:crypto';
import { CertificateSigningRequest } from '../../../api/generated/kinds.ts';
import { isNotFound } from '../../../api/meta/status-error.ts';
import { parseTime } from '../../../api/meta/time.ts';
import { defineController, watched } from '../../../client/controllers/controller.ts';

const hourMs = 3_600_000;
const waitingMs = 24 * hourMs;

export const certificateCleaner = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  serviceAccount: 'certificate-controller',
  watches: [watched(CertificateSigningRequest)],
  async reconcile(name, { client, clock }) {
    const request = client.informer(CertificateSigningRequest).get(name);
    if (!request) return;
    const dueMs = endMs(request);
    if (dueMs === undefined) return;
    const leftMs = dueMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid } = request.metadata;
    await client.delete(CertificateSigningRequest, { name }, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  },
});

/** undefined: what has become of it has no date */
function endMs({ metadata, status }: CertificateSigningRequest): number | undefined {
  const { conditions = [], certificate } = status;
  if (conditions.length === 0) return (parseTime(metadata.creationTimestamp) ?? 0) + waitingMs;
  const ends = conditions.flatMap(({ type, lastUpdateTime }) => {
    const fromMs = parseTime(lastUpdateTime ?? '');
    return fromMs === undefined ? [] : [fromMs + (type === 'Approved' && !certificate ? waitingMs : hourMs)];
  });
  if (certificate) ends.push(new X509Certificate(Buffer.from(certificate, 'base64')).validToDate.getTime());
  return ends.length > 0 ? Math.min(...ends) : undefined;
}
