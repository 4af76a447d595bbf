/**
 * Forwards one HTTP request to a backend and streams the answer back: pod logs, and the proxy subresources. A redirect
 * is an answer like others: it is given back, never followed. An answer that breaks off breaks the client's off.
 */

import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Status } from '../../../api/generated/meta-v1.ts';
import { joinHostPort } from '../../../api/meta/addresses.ts';
import { errors, isStatusError, messageOf, StatusError } from '../../../api/meta/status-error.ts';
import { parseJSON } from '../../../api/schema/json-scan.ts';
import { answerHeadBytesMax, request as httpRequest } from '../../../client/transport/node-http.ts';
import type { Connection } from '../request/api-request.ts';
import type { Dialer, DialTarget, RequestConnection } from './dialer.ts';
import { answerHeaders, type Headers, requestHeaders } from './proxied-headers.ts';
import { type ProxiedSite, planPageRewrite } from './rewrite-links.ts';

export interface ForwardTarget extends DialTarget {
  readonly path: string;
  readonly method?: string;
  /** where the backend appears: its pages and redirects are made to lead there; the client's own headers go along then */
  readonly site?: ProxiedSite;
  /** what the server itself says to the backend; the client's own headers go along then */
  readonly headers?: Headers | undefined;
  /** a backend's error that is a Status is thrown as one */
  readonly statusErrors?: boolean;
}

/** of a backend's error that becomes the message of a Status, or the answer to an upgrade */
const errorBodyBytesMax = 64 * 1024;

/** The body of the answer streams through. */
export async function forward(connect: Connection, dialer: Dialer, target: ForwardTarget): Promise<void> {
  if (!connect.response) throw errors.badRequest('the request can not be upgraded');
  await passOn(connect, await ask(connect, dialer, target), target);
}

/** The backend's answer, whose head has come, as it is, but for links to the backend's site. */
export async function passOn(connect: Connection, answer: IncomingMessage, target: Pick<ForwardTarget, 'site'>): Promise<void> {
  const { response, signal } = connect;
  try {
    const out = response as ServerResponse;
    const page = target.site && planPageRewrite(answer, target.site);
    out.statusCode = answer.statusCode ?? 0;
    for (const [name, value] of Object.entries(answerHeaders(page?.headers ?? answer.headers))) out.setHeader(name, value);
    out.flushHeaders();
    connect.began(out.statusCode);
    await pipeline([answer, ...(page?.steps ?? []), out]).catch(() => {
      // The client went away, or the backend did: both ends are closed, and with the head sent nothing is left to tell.
      if (!signal.aborted) out.destroy();
    });
  } finally {
    answer.destroy();
  }
}

/** The backend's answer, of which the head has come. */
export async function ask(connect: Connection, dialer: Dialer, target: ForwardTarget): Promise<IncomingMessage> {
  const { request, signal } = connect;
  const method = target.method ?? request.method ?? 'GET';
  const isProxied = passesHeaders(target);
  const sendsBody = isProxied && hasBody(request);
  const headers = isProxied ? { ...proxyHeaders(connect, sendsBody), ...target.headers } : {};
  let answer: IncomingMessage;
  try {
    const backend = openRequest(await dialer.open(target, signal), { target, method, headers, signal });
    const answered = answerOf(backend);
    // A backend may answer before it has read all, and be gone then.
    if (sendsBody) pipeline(request, backend).catch(() => undefined);
    else backend.end();
    answer = await answered;
  } catch (error) {
    if (isStatusError(error)) throw error;
    throw unreachable(target, messageOf(error));
  }
  const code = answer.statusCode ?? 0;
  if (target.statusErrors && code >= 400) throw await backendError(answer, code);
  if (target.statusErrors && code >= 300) throw unreachable(target, 'redirects forbidden', answer);
  if (!isFinalCode(code)) throw unreachable(target, `malformed HTTP status code "${code}"`, answer);
  return answer;
}

const passesHeaders = ({ site, headers }: ForwardTarget): boolean => site !== undefined || headers !== undefined;

/** What can be sent on, over HTTP/2 too. */
const isFinalCode = (code: number): boolean => code >= 200 && code <= 599;

/** Upstream's: a proxy says that a service can't be reached, the client of the kubelet what it asked for. */
function unreachable(target: ForwardTarget, message: string, answer?: IncomingMessage): StatusError {
  answer?.destroy();
  if (passesHeaders(target)) return errors.serviceUnavailable(`error trying to reach service: ${message}`);
  const url = `${target.protocol}://${joinHostPort(target.host, target.port)}${target.path}`;
  return errors.unnamed(`Get ${JSON.stringify(url)}: ${message}`);
}

export interface RequestHead {
  readonly target: DialTarget & { readonly path: string };
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** The connection is the request's from here on: it ends with it, also when there can be no such request. */
export function openRequest(connection: RequestConnection, { target, method, headers, signal }: RequestHead): ClientRequest {
  const { host, port, path } = target;
  try {
    return httpRequest({
      ...connection,
      method,
      path,
      headers: { host: joinHostPort(host, port), ...headers },
      maxHeaderSize: answerHeadBytesMax,
      signal,
    });
  } catch (error) {
    if ('createConnection' in connection) connection.createConnection().destroy();
    throw error;
  }
}

/** The head of the answer; rejects when there is none. */
export const answerOf = (backend: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    backend
      .on('response', resolve)
      .on('upgrade', (answer: IncomingMessage, socket: Socket) => {
        socket.destroy();
        reject(errors.unnamed(`backend tried to switch protocol ${JSON.stringify(answer.headers.upgrade ?? '')} when "" was requested`));
      })
      .on('error', (error) => reject(isStatusError(error) ? error : new Error(describeBreak(error))))
      .on('close', () => reject(new Error('EOF')));
  });

/** How a conversation ended before there was an answer, as Go has it. */
export function describeBreak({ code = '', message }: NodeJS.ErrnoException): string {
  if (message === 'socket hang up') return 'EOF';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'read: connection reset by peer';
  if (code.startsWith('HPE_')) return `net/http: HTTP/1.x transport connection broken: malformed HTTP response (${message})`;
  return message;
}

function hasBody(request: Connection['request']): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

function proxyHeaders({ request }: Connection, sendsBody: boolean): Headers {
  const [path = ''] = (request.url ?? '').split('?');
  return { ...requestHeaders(request, sendsBody), 'x-forwarded-uri': path };
}

async function backendError(answer: IncomingMessage, code: number): Promise<StatusError> {
  const text = await readErrorBody(answer);
  try {
    const status = parseJSON(text) as Status;
    if (status.kind === 'Status') return StatusError.from(status, code);
  } catch {
    // not JSON: the text itself is the message
  }
  const reason = code === 404 ? 'NotFound' : code === 400 ? 'BadRequest' : code === 401 || code === 403 ? 'Forbidden' : 'InternalError';
  return new StatusError({ code, reason, message: text.trim() || `the kubelet answered ${code}` });
}

/** Its beginning: what came before it broke, if it did. */
export async function readErrorBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > errorBodyBytesMax) break;
    }
  } catch {
    // it broke off
  }
  return Buffer.concat(chunks).subarray(0, errorBodyBytesMax).toString();
}
