/**
 * How the server reaches the one that answers for an APIService: over TLS, at a ready endpoint of its Service, where it
 * shows itself as the front proxy and says who asks.
 * Upstream: kube-aggregator/pkg/controllers/status/remote (BuildTransportConfig).
 */

import type { APIService } from '../../../api/generated/kinds.ts';
import { joinHostPort } from '../../../api/meta/addresses.ts';
import type { KeyedCertificate } from '../../pki/authority.ts';
import { remoteHeaders } from '../authentication/request-header.ts';
import type { UserInfo } from '../request/request.ts';
import { groups } from '../request/user.ts';
import type { Dialer, DialTarget } from '../streaming/dialer.ts';
import { type Page, readPage } from '../streaming/read-page.ts';
import { addressOfService, type ServiceDirectory } from '../streaming/service-address.ts';

export interface BackendTools extends ServiceDirectory {
  readonly dialer: Dialer;
  /** how the server shows itself to backends; made when first asked for */
  readonly frontProxy: () => Promise<KeyedCertificate>;
}

const portDefault = 443;
/** what a document of discovery or OpenAPI may have: it is read in one go; the server's own has 2 MiB */
const documentBytesMax = 8 * 1024 * 1024;

/** Throws NotFound or ServiceUnavailable for a Service that leads nowhere. */
export async function backendTarget({ spec }: APIService, tools: BackendTools): Promise<DialTarget> {
  const { namespace = '', name = '', port = portDefault } = spec.service ?? {};
  const address = addressOfService(tools, { namespace, name, port });
  const { certPem: cert, keyPem: key } = await tools.frontProxy();
  const ca = spec.caBundle && Buffer.from(spec.caBundle, 'base64').toString();
  return {
    protocol: 'https',
    ...address,
    proof: { name: `${name}.${namespace}.svc`, ca, cert, key, isBelieved: spec.insecureSkipTLSVerify },
  };
}

/** Who asks when the server itself looks after a backend. */
export const aggregatorUser: UserInfo = { name: 'system:kube-aggregator', groups: [groups.masters] };

export interface DocumentQuestion {
  readonly path: string;
  readonly accept: string;
  readonly signal: AbortSignal;
  /** of what is known already */
  readonly etag?: string | undefined;
}

/** One GET on the server's own account. Rejects when there is no answer. */
export async function getDocument(
  service: APIService,
  tools: BackendTools,
  { path, accept, signal, etag }: DocumentQuestion,
): Promise<Page> {
  const target = await backendTarget(service, tools);
  const host = joinHostPort(target.proof?.name ?? target.host, target.port);
  const headers = { host, accept, ...(etag !== undefined && { 'if-none-match': etag }), ...remoteHeaders(aggregatorUser) };
  return await readPage(tools.dialer, { ...target, path }, { headers, signal, bytesMax: documentBytesMax });
}
