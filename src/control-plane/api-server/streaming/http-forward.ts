/** Forwards one HTTP request to a backend and streams the answer back: pod logs, and the proxy subresources. */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { Status } from '../../../api/generated/meta-v1.ts';
import { errors, isStatusError, StatusError } from '../../../api/meta/status-error.ts';
import type { ConnectRequest } from '../endpoint.ts';
import { type ProxiedSite, planPageRewrite } from './rewrite-links.ts';

/** How the server shows itself to kubelets, and whom it trusts. */
export interface KubeletCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface ForwardTarget {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  /** the client's own headers go along, without its credentials */
  readonly passHeaders?: boolean;
  readonly tls?: Agent;
  /** where the backend appears: its pages and redirects are made to lead there */
  readonly site?: ProxiedSite;
  /** a backend's error that is a Status is thrown as one */
  readonly statusErrors?: boolean;
}

const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const errorBodyBytesMax = 64 * 1024;

export const kubeletAgent = (credentials: KubeletCredentials): Agent =>
  // A kubelet is known by the cluster's authority, not by the address under which it is reached.
  new Agent({ ...credentials, keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, checkServerIdentity: () => undefined });

/** The body of the answer streams through. */
export async function forward(connect: ConnectRequest, target: ForwardTarget): Promise<void> {
  const { response, signal } = connect;
  if (!response) throw errors.badRequest('the request can not be upgraded');
  const answer = await ask(connect, target);
  const out = response as ServerResponse;
  out.statusCode = answer.statusCode ?? 502;
  const page = target.site && planPageRewrite(answer, target.site);
  for (const [name, value] of Object.entries(page?.headers ?? answer.headers))
    if (value !== undefined && !hopHeaders.has(name)) out.setHeader(name, value);
  out.flushHeaders();
  await pipeline([answer, ...(page?.steps ?? []), out]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && !signal.aborted) throw error; // the client went away: nothing left to tell it
  });
}

/** The backend's answer, of which the head has come. */
export async function ask({ request, signal }: ConnectRequest, target: ForwardTarget): Promise<IncomingMessage> {
  const method = target.method ?? request.method ?? 'GET';
  const headers = target.passHeaders ? forwardedHeaders(request.headers, target) : {};
  const send = target.protocol === 'https' ? httpsRequest : httpRequest;
  const backend = send({
    method,
    host: target.host,
    port: target.port,
    path: target.path,
    headers,
    signal,
    ...(target.tls && { agent: target.tls }),
  });
  let answer: IncomingMessage;
  try {
    const answered = answerOf(backend);
    if (method === 'GET' || method === 'HEAD') backend.end();
    else await Promise.race([pipeline(request, backend), answered]);
    answer = await answered;
  } catch (error) {
    if (isStatusError(error)) throw error;
    throw errors.serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);
  }
  const code = answer.statusCode ?? 502;
  if (target.statusErrors && code >= 400) throw await backendError(answer, code);
  return answer;
}

const answerOf = (backend: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    backend.on('response', resolve).on('error', reject);
  });

function forwardedHeaders(headers: ConnectRequest['request']['headers'], target: ForwardTarget): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = { host: `${target.host}:${target.port}` };
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || name === 'host' || name === 'authorization' || hopHeaders.has(name)) continue;
    out[name] = value;
  }
  return out;
}

async function backendError(answer: IncomingMessage, code: number): Promise<StatusError> {
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > errorBodyBytesMax) break;
  }
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === 'Status') return StatusError.from(status, code);
  } catch {
    // not JSON: the text itself is the message
  }
  const reason = code === 404 ? 'NotFound' : code === 400 ? 'BadRequest' : code === 401 || code === 403 ? 'Forbidden' : 'InternalError';
  return new StatusError({ code, reason, message: text.trim() || `the kubelet answered ${code}` });
}
