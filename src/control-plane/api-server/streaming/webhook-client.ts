/**
 * Asks a webhook: posts one JSON review to where a configuration says (a URL, or a Service) and gives back the JSON of
 * the answer. Admission and the conversion of custom resources use it.
 *
 * Guarantees: the peer has proved who it is by the configuration's caBundle before anything is said to it, and is shown
 * no credentials; time and size of the answer are bounded; redirects are not followed; connections are kept and used
 * again. What goes wrong is an Error (a StatusError where the webhook answered with one) in the words of Go's clients,
 * which people search for: `Post "https://…": dial tcp …: connect: connection refused`.
 * Upstream: apiserver/pkg/util/webhook/client.go, client-go/rest/request.go.
 */

import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import type { Status } from '../../../api/generated/meta-v1.ts';
import { joinHostPort } from '../../../api/meta/addresses.ts';
import { messageOf, StatusError } from '../../../api/meta/status-error.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { type Clock, realClock } from '../../../client/clock.ts';
import type { Dialer } from './dialer.ts';
import { answerOf, openRequest, type RequestHead } from './http-forward.ts';
import { addressOfService, type ServiceDirectory } from './service-address.ts';

/** Of both a webhook's configuration and a CustomResourceDefinition's conversion. */
export interface WebhookAddress {
  readonly url?: string | undefined;
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number } | undefined;
  /** base64 of PEM */
  readonly caBundle?: string | undefined;
}

export interface WebhookCall {
  readonly timeoutMs: number;
  /** of an answer; longer ones are an error */
  readonly answerBytesMax?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WebhookClientOptions extends ServiceDirectory {
  readonly dialer: Dialer;
  /** stands still while a webhook is waited for, where it is moved by hand; the other end lives in real time */
  readonly clock: Clock;
}

const httpsPort = 443;
const answerBytesDefault = 8 * 1024 * 1024;

export class WebhookClient {
  readonly #options: WebhookClientOptions;

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /** The answer's JSON, whatever it is. Rejects when there is none. */
  post(address: WebhookAddress, review: object, call: WebhookCall): Promise<unknown> {
    const answer = this.#post(address, review, call);
    this.#options.clock.holdFor?.(answer);
    return answer;
  }

  async #post(address: WebhookAddress, review: object, { timeoutMs, signal: given, answerBytesMax }: WebhookCall): Promise<unknown> {
    const time = new AbortController();
    const signal = given ? AbortSignal.any([time.signal, given]) : time.signal;
    const why = (error: unknown): string =>
      time.signal.aborted ? 'context deadline exceeded' : given?.aborted ? 'context canceled' : messageOf(error);
    const place = placeOf(address, `timeout=${Math.ceil(timeoutMs / 1000)}s`);
    const timer = realClock.setTimeout(() => time.abort(), timeoutMs);
    try {
      const answer = await this.#exchange(address, place, { body: JSON.stringify(review), signal }).catch((error: unknown) => {
        throw new Error(`Post ${JSON.stringify(hrefOf(place))}: ${why(error)}`, { cause: error });
      });
      const text = await readText(answer, answerBytesMax ?? answerBytesDefault).catch((error: unknown) => {
        throw new Error(
          `unexpected error when reading response body. Please retry. Original error: ${why(error) === 'aborted' ? 'unexpected EOF' : why(error)}`,
          { cause: error },
        );
      });
      return parseAnswer(answer, text);
    } finally {
      timer.cancel();
    }
  }

  async #exchange(
    address: WebhookAddress,
    place: Place,
    { body, signal }: { body: string; signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const target = this.#targetOf(address, place);
    const bytes = Buffer.from(body);
    const headers = {
      host: place.authority,
      accept: 'application/json, */*',
      'content-type': 'application/json',
      'content-length': String(bytes.length),
      'user-agent': 'kube-apiserver-admission',
    };
    for (;;) {
      const request = openRequest(await this.#options.dialer.open(target, signal), { target, method: 'POST', headers, signal });
      const answer = answerOf(request);
      request.end(bytes);
      try {
        return await answer;
      } catch (error) {
        // The other end had closed a kept connection, before it could see this request.
        if (!request.reusedSocket || messageOf(error) !== 'EOF') throw error;
      }
    }
  }

  #targetOf({ service, caBundle }: WebhookAddress, { url }: Place): RequestHead['target'] {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const proof = { name: host, ca: caBundle && Buffer.from(caBundle, 'base64').toString() };
    const at = { protocol: 'https', path: `${url.pathname}${url.search}`, proof } as const;
    if (!service) return { ...at, host, port: Number(url.port) || httpsPort, isTrustedAddress: true };
    return { ...at, ...addressOfService(this.#options, { ...service, port: service.port ?? httpsPort }) };
  }
}

/** A URL with its port as it was written: errors show it. */
interface Place {
  readonly authority: string;
  readonly url: URL;
}

function placeOf({ url, service }: WebhookAddress, query: string): Place {
  if (!service && !url) throw new Error('webhook configuration must have either service or URL');
  const { namespace, name, path = '/', port = httpsPort } = service ?? noService;
  const place = new URL(service ? `https://${name}.${namespace}.svc:${port}` : (url ?? ''));
  place.pathname = posix.resolve('/', service ? path : place.pathname); // without double slashes and one at the end, as Go's clients ask
  place.search = query;
  return {
    url: place,
    authority: service ? joinHostPort(place.hostname, port) : (/^https:\/\/([^/?#]*)/i.exec(url ?? '')?.[1] ?? place.host),
  };
}
const hrefOf = ({ authority, url }: Place): string => `https://${authority}${url.pathname}${url.search}`;
const noService: NonNullable<WebhookAddress['service']> = { namespace: '', name: '' };

async function readText(answer: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } finally {
    // One that was read to its end leaves its connection to the next request.
    if (!answer.complete) answer.destroy();
  }
  return Buffer.concat(chunks).toString();
}

function parseAnswer({ statusCode: code = 0, headers }: IncomingMessage, text: string): unknown {
  const isFine = code >= 200 && code < 300;
  if (isFine && text === '')
    throw new Error(`0-length response with status code: ${code} and content type: ${headers['content-type'] ?? 'application/json'}`);
  let value: unknown;
  try {
    value = parseJSON(text);
  } catch (error) {
    if (isFine) throw new Error(`couldn't get version/kind; json parse error: ${messageOf(error)}`, { cause: error });
  }
  const status = value as Partial<Status> | undefined;
  if (!isFine && status?.kind === 'Status' && status.status === 'Failure') throw StatusError.from(status as Status, code);
  if (!isFine) throw refusalOf(code, text.trim().slice(0, refusalCharactersMax) || 'unknown');
  return value;
}

const refusalCharactersMax = 2048;

/** Reason and message of an answer that is no Status. */
function refusalOf(code: number, said: string): StatusError {
  const [reason, message] = refusals.get(code) ?? [
    code >= 500 ? 'InternalError' : '',
    code >= 500
      ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
      : `the server responded with the status code ${code} but did not return more information`,
  ];
  return new StatusError({ code, reason, message: message || said });
}

/** An empty message: what was said. */
const refusals: ReadonlyMap<number, readonly [reason: string, message: string]> = new Map([
  [400, ['BadRequest', 'the server rejected our request for an unknown reason']],
  [401, ['Unauthorized', 'the server has asked for the client to provide credentials']],
  [403, ['Forbidden', '']],
  [404, ['NotFound', 'the server could not find the requested resource']],
  [405, ['MethodNotAllowed', 'the server does not allow this method on the requested resource']],
  [406, ['NotAcceptable', '']],
  [409, ['AlreadyExists', 'the server reported a conflict']],
  [415, ['UnsupportedMediaType', '']],
  [422, ['Invalid', 'the server rejected our request due to an error in our request']],
  [429, ['TooManyRequests', 'the server has received too many requests and has asked us to try again later']],
  [503, ['ServiceUnavailable', 'the server is currently unable to handle the request']],
  [504, ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request']],
]);
