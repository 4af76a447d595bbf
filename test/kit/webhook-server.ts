/** A webhook on loopback that answers as it is told, and remembers what it was asked. */
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { WebhookClientConfig } from '../../src/api/generated/admissionregistration-v1.ts';
import { realClock } from '../../src/client/clock.ts';
import { createAuthority } from '../../src/control-plane/pki/authority.ts';

const loopback = '127.0.0.1';

export interface AskedObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** The `request` of an AdmissionReview, or of a ConversionReview, loosely. */
export interface AskedReview {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly dryRun: boolean;
  readonly kind: object;
  readonly resource: object;
  readonly requestKind: object;
  readonly subResource?: string;
  readonly userInfo: { readonly username: string };
  readonly object: AskedObject | null;
  readonly oldObject: AskedObject | null;
  readonly options: AskedObject | null;
  /** of a ConversionReview */
  readonly desiredAPIVersion?: string;
  readonly objects?: readonly AskedObject[];
}

export type WebhookAnswer = (asked: AskedReview, response: ServerResponse) => object | undefined | Promise<object | undefined>;

export interface WebhookServer extends AsyncDisposable {
  readonly port: number;
  /** paths, in the order in which they were asked */
  readonly paths: string[];
  readonly asked: AskedReview[];
  /** The `response` of the review at this path; undefined: it answers by itself, or never. */
  answer(path: string, answer: WebhookAnswer): void;
  clientConfig(path: string): WebhookClientConfig;
}

export async function startWebhookServer(): Promise<WebhookServer> {
  const authority = await createAuthority({ commonName: 'webhooks', clock: realClock });
  const { certPem: cert, keyPem: key } = await authority.issue({ commonName: 'webhook', ipAddresses: [loopback], usages: ['server'] });
  const answers = new Map<string, WebhookAnswer>();
  const asked: AskedReview[] = [];
  const paths: string[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const review = JSON.parse(Buffer.concat(chunks).toString()) as { kind: string; apiVersion: string; request: AskedReview };
    const path = (request.url ?? '').split('?')[0] ?? '';
    paths.push(path);
    asked.push(review.request);
    const said = await answers.get(path)?.(review.request, response);
    if (!said) return;
    const body = { kind: review.kind, apiVersion: review.apiVersion, response: { uid: review.request.uid, allowed: true, ...said } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, loopback, done));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    paths,
    asked,
    answer: (path, answer) => void answers.set(path, answer),
    clientConfig: (path) => ({ url: `https://${loopback}:${port}${path}`, caBundle: Buffer.from(authority.certPem).toString('base64') }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The `response` of a review that patches. */
export const patching = (...operations: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
