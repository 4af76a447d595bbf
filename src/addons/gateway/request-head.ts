/**
 * The head of a request as it is sent on. Who asks and how is said by this proxy alone: what a client says of that itself
 * (X-Forwarded-…, X-Real-IP, Forwarded, True-Client-IP and the like) is dropped, in whatever spelling a backend may take for the same. What is meant for
 * the next hop alone (RFC 9110 §7.6.1) ends here, and what a Connection header names with it.
 */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

export type ProxyRequest = IncomingMessage | Http2ServerRequest;

export interface RequestHead {
  readonly method: string;
  /** in lower case, without a port */
  readonly hostName: string;
  /** as the client wrote it */
  readonly host: string;
  /** with its query, as the client wrote it */
  readonly target: string;
  readonly isSecure: boolean;
  readonly peer: string;
  readonly hasBody: boolean;
  /** of its body, if it says so */
  readonly length: number | undefined;
  readonly origin: string | undefined;
  readonly cookie: string | undefined;
  /** flat: without `host` */
  readonly headers: readonly string[];
}

const nextHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'trailer',
  'te',
  'expect', // answered here
]);
const ofPeer =
  /^(?:x[-_]forwarded(?:[-_].*)?|x[-_]original[-_].*|x[-_]rewrite[-_]url|x[-_]scheme|(?:x[-_](?:real|client|cluster[-_]client)|true[-_]client|cf[-_]connecting)[-_]ip|forwarded)$/;
const hostText = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;
const hostAndPort = /^(.*?)(?::(\d*))?$/;

/** Undefined: it is malformed. `port` is the one it came to. */
export function readHead(
  request: ProxyRequest,
  { isSecure, port }: { readonly isSecure: boolean; readonly port: number },
): RequestHead | undefined {
  const raw = request.rawHeaders;
  const isHTTP2 = 'stream' in request;
  if (!isHTTP2 && request.httpVersionMajor !== 1) return undefined;
  const named = namedByConnection(request.headers.connection);
  const headers: string[] = [];
  const cookies: string[] = [];
  let host: string | undefined;
  let isChunked = false;
  let length: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'host' || lower === ':authority') {
      if (host !== undefined && host !== value) return undefined;
      host = value;
    } else if (lower === 'te' && /(?:^|,)\s*trailers\s*(?:$|,|;)/i.test(value)) headers.push('te', 'trailers');
    else if (lower === 'cookie') cookies.push(value);
    else if (!lower.startsWith(':') && !nextHop.has(lower) && !ofPeer.test(lower) && !named?.has(lower)) headers.push(name, value);
    if (lower === 'transfer-encoding') isChunked = true;
    if (lower === 'content-length') length = value;
  }
  const asked = targetOf(request.url ?? '');
  if (!asked) return undefined;
  host = asked.host ?? host ?? '';
  const hostName = (hostAndPort.exec(host.toLowerCase())?.[1] ?? '').replace(/\.$/, '');
  if (host !== '' && !hostText.test(hostName)) return undefined;
  const cookie = cookies.length > 0 ? cookies.join('; ') : undefined;
  if (cookie !== undefined) headers.push('cookie', cookie);
  const peer = plainAddress(request.socket.remoteAddress ?? '');
  headers.push('X-Forwarded-For', peer, 'X-Forwarded-Proto', isSecure ? 'https' : 'http', 'X-Forwarded-Host', host);
  headers.push('X-Forwarded-Port', String(port), 'X-Real-IP', peer);
  return {
    method: request.method ?? 'GET',
    hostName,
    host,
    target: asked.target,
    isSecure,
    peer,
    hasBody: isHTTP2 ? !request.stream.endAfterHeaders : isChunked || Number(length ?? 0) > 0,
    length: length === undefined ? undefined : Number(length),
    origin: request.headers.origin,
    cookie,
    headers,
  };
}

function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

/** A proxy is asked in absolute form: what the URL says wins over the Host header (RFC 9112 §3.2.2). */
function targetOf(url: string): { readonly target: string; readonly host?: string } | undefined {
  if (url.startsWith('/')) return { target: url };
  if (url === '*') return { target: '/' };
  const [, host, target = ''] = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(url) ?? [];
  return host === undefined ? undefined : { host, target: target.startsWith('/') ? target : `/${target}` };
}

/** An IPv4 peer of a socket for both families. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address);

/** Of an answer: what is meant for this hop alone. */
const ofAnswer: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);

/** What is for this hop alone, frames a message, or is no field: an answer's end says none of it. */
const notTrailers: ReadonlySet<string> = new Set([...nextHop, 'http2-settings', 'content-length', 'host']);
export const answerTrailers = (trailers: readonly string[]): string[] =>
  trailers.filter((_, i) => {
    const name = (trailers[i - (i % 2)] ?? '').toLowerCase();
    return !name.startsWith(':') && !notTrailers.has(name);
  });

/** The head of an answer as the client gets it, flat. What this proxy says of CORS is said in place of the back end's. */
export function answerHeaders(headers: readonly string[], more: readonly string[]): string[] {
  const kept: string[] = [];
  let named: ReadonlySet<string> | undefined;
  const replaced = new Set(more.filter((name, i) => i % 2 === 0 && name.startsWith('access-control-')));
  for (let i = 0; i < headers.length; i += 2)
    if ((headers[i] ?? '').toLowerCase() === 'connection') named = namedByConnection(headers[i + 1]);
  for (let i = 0; i < headers.length; i += 2) {
    const lower = (headers[i] ?? '').toLowerCase();
    if (!ofAnswer.has(lower) && !named?.has(lower) && !replaced.has(lower)) kept.push(headers[i] ?? '', headers[i + 1] ?? '');
  }
  return more.length > 0 ? [...kept, ...more] : kept;
}
