/**
 * How the server reaches the one that answers for an APIService: over TLS, at a ready endpoint of its Service, where it
 * shows itself as the front proxy and says who asks.
 * Upstream: kube-aggregator/pkg/controllers/status/remote (BuildTransportConfig).
 */
import type { IncomingMessage } from 'node:http';
import type { APIService } from '../../../api/generated/kinds.ts';
import { answerHeadBytesMax, request as httpRequest } from '../../../client/transport/node-http.ts';
import type { KeyedCertificate } from '../../pki/authority.ts';
import { remoteHeaders } from '../authentication/request-header.ts';
import type { UserInfo } from '../request/request.ts';
import { groups } from '../request/user.ts';
import { type Dialer, type DialTarget, joinHostPort } from '../streaming/dialer.ts';
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

export interface BackendDocument {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

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
): Promise<BackendDocument> {
  const target = await backendTarget(service, tools);
  const connection = await tools.dialer.open(target, signal);
  const host = joinHostPort(target.proof?.name ?? target.host, target.port);
  const headers = { host, accept, ...(etag !== undefined && { 'if-none-match': etag }), ...remoteHeaders(aggregatorUser) };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ ...connection, method: 'GET', path, headers, maxHeaderSize: answerHeadBytesMax, signal })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > documentBytesMax) throw new Error(`${path} is longer than ${documentBytesMax} bytes`);
    chunks.push(chunk);
  }
  return { code: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}
