/**
 * The GET that probes and lifecycle hooks make: no proxy, no connection kept, certificates not verified, redirects
 * followed on the same host only. Whatever a server answers, and whatever goes wrong with it: when the call ends, its
 * sockets are closed. Faults are told in the words of Go's client.
 * Upstream: pkg/probe/http/{http,request}.go, pkg/probe/util.go; Go's net/http/client.go.
 */

import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Container, HTTPGetAction } from '../../../api/generated/core-v1.ts';
import { own, put } from '../../../api/meta/words.ts';
import { request as httpRequest } from '../../../client/transport/node-http.ts';

const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;
/** of an answer: Node's own limit is tighter than what servers send */
const headerBytesMax = 1024 * 1024;
/** of what a server said, in a message */
const quotedCharsMax = 256;
const portMax = 65_535;

export interface HTTPGet {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[]>>;
}
export interface HTTPAnswer {
  readonly statusCode: number;
  readonly body: string;
}

/** The head of an answer came, and its body did not. */
export class UnfinishedAnswerError extends Error {}

/** Throws for a port that the container does not have, and for a host that is none. */
export function planHTTPGet(
  action: HTTPGetAction,
  container: Container,
  at: { readonly podIP: string; readonly purpose: 'probe' | 'lifecycle' },
): HTTPGet {
  const host = action.host || at.podIP;
  const port = resolvePort(action.port, container);
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path ?? '/';
  const url = parseURL(`${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
  const headers: Record<string, string | string[]> = {};
  for (const { name, value } of action.httpHeaders ?? []) {
    const key = Object.keys(headers).find((k) => k.toLowerCase() === name.toLowerCase()) ?? name;
    const before = own(headers, key);
    put(headers, key, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
  }
  const has = (name: string): boolean => Object.keys(headers).some((k) => k.toLowerCase() === name);
  if (!has('user-agent')) headers['User-Agent'] = `kube-${at.purpose}/1.36`;
  if (!has('accept')) headers['Accept'] = '*/*';
  for (const key of Object.keys(headers)) if (key.toLowerCase() === 'accept' && own(headers, key) === '') delete headers[key];
  return { url, headers };
}

export function resolvePort(port: string | number, container: Container): number {
  const named = typeof port === 'string' ? container.ports?.find((p) => p.name === port)?.containerPort : port;
  const number = named ?? Number(port);
  if (Number.isNaN(number)) throw new Error(`strconv.Atoi: parsing "${port}": invalid syntax`);
  if (number > 0 && number <= portMax) return number;
  throw new Error(`invalid port number: ${number}`);
}

/** Rejects when there is no answer; the signal carries the time limit of the whole. */
export async function httpGet(get: HTTPGet, signal: AbortSignal): Promise<HTTPAnswer> {
  const headers = planHeaders(get);
  let { url } = get;
  for (let hops = 1; ; hops++) {
    using exchange = new Exchange(url, headers, signal);
    const answer = await exchange.head;
    const { statusCode = 0 } = answer;
    const location = redirectCodes.has(statusCode) ? answer.headers.location : undefined;
    const next = location ? followOnHost(location, url) : undefined;
    if (!next) return { statusCode, body: await exchange.body() };
    if (hops >= redirectsMax) throw new Error(`Get "${location}": stopped after ${redirectsMax} redirects`);
    url = next;
  }
}

const redirectCodes: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where a redirect leads; undefined: to another host. */
function followOnHost(location: string, from: URL): URL | undefined {
  const authority = authorityOf(location);
  const why = authority === undefined ? undefined : hostFault(authority);
  if (why) throw new Error(`Get "${from}": failed to parse Location header ${quote(location)}: parse ${quote(location)}: ${why}`);
  if (authority !== undefined && hostnameOf(authority) !== from.hostname.toLowerCase()) return undefined;
  const next = parseURL(location, from);
  if (next.protocol !== 'http:' && next.protocol !== 'https:') {
    throw new Error(`Get ${quote(location)}: unsupported protocol scheme "${next.protocol.slice(0, -1)}"`);
  }
  return next.hostname === from.hostname ? next : undefined;
}

const quote = (text: string): string => JSON.stringify(text);
const authorityOf = (url: string): string | undefined => /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1];
const hostnameOf = (authority: string): string => authority.replace(/:\d*$/, '').toLowerCase();

/** What Go's url.Parse would say of it. */
function hostFault(authority: string): string | undefined {
  if (authority.startsWith('[') && !authority.includes(']')) return "missing ']' in host";
  const port = /^(?:\[.*\]|[^:]*)(:.*)?$/.exec(authority)?.[1];
  if (port !== undefined && !/^:\d*$/.test(port)) return `invalid port ${quote(port)} after host`;
  const odd = /[\s"<>\\^`{}|]/.exec(authority)?.[0];
  return odd === undefined ? undefined : `invalid character ${quote(odd)} in host name`;
}

function parseURL(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (url) return url;
  const authority = authorityOf(text) ?? '';
  const port = /:(\d+)$/.exec(authority)?.[1];
  if (Number(port) > portMax) throw new Error(`Get ${quote(text)}: dial tcp: address ${port}: invalid port`);
  throw new Error(`parse ${quote(text)}: ${hostFault(authority) ?? 'invalid URL'}`);
}

/** As they are sent: text in UTF-8, and none of those by which Go frames a request itself. */
function planHeaders({ url, headers }: HTTPGet): Record<string, string | string[]> {
  const planned: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (framing.has(name.toLowerCase())) continue;
    const values = [value].flat();
    if (values.some((one) => controls.test(one))) throw new Error(`Get "${url}": net/http: invalid header field value for ${quote(name)}`);
    const bytes = values.map((one) => Buffer.from(one).toString('latin1'));
    put(planned, name, Array.isArray(value) ? bytes : (bytes[0] ?? ''));
  }
  return planned;
}

const framing: ReadonlySet<string> = new Set(['connection', 'content-length', 'expect', 'trailer', 'transfer-encoding']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
const controls = /[\x00-\x08\x0a-\x1f\x7f]/;

/** A request and its answer. They own their socket: it is closed when the exchange is disposed of, whatever became of it. */
class Exchange implements Disposable {
  readonly head: Promise<IncomingMessage>;
  readonly #request: ClientRequest;
  readonly #signal: AbortSignal;

  constructor(url: URL, headers: Record<string, string | string[]>, signal: AbortSignal) {
    const options = {
      method: 'GET',
      headers,
      agent: false as const,
      signal,
      rejectUnauthorized: false,
      maxHeaderSize: headerBytesMax,
    };
    this.#signal = signal;
    this.#request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
    this.head = new Promise((resolve, reject) => {
      const fail = (what: string, cause?: Error): void => reject(new Error(`Get "${url}": ${what}`, { cause }));
      this.#request
        .on('response', resolve)
        .on('upgrade', (answer, socket) => {
          socket.destroy(); // nobody asked for it: the answer is its status alone
          resolve(answer);
        })
        .on('error', (error) => fail(signal.aborted ? deadline('exceeded while awaiting headers') : describeFailure(url, error), error))
        .on('close', () => fail('EOF'));
    });
    this.#request.end();
  }

  /** Its beginning. */
  async body(): Promise<string> {
    const answer = await this.head;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= bodyBytesMax) break;
      }
    } catch (cause) {
      const what = this.#signal.aborted ? deadline('or context cancellation while reading body') : 'unexpected EOF';
      throw new UnfinishedAnswerError(what, { cause });
    }
    return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString();
  }

  [Symbol.dispose](): void {
    this.#request.destroy();
  }
}

const deadline = (when: string): string => `context deadline exceeded (Client.Timeout ${when})`;

type NodeError = Error & { readonly code?: string; readonly rawPacket?: Uint8Array };

function describeFailure({ host, hostname }: URL, error: NodeError): string {
  const { code = '', rawPacket } = error;
  if (code === 'HPE_HEADER_OVERFLOW') return `net/http: server response headers exceeded ${headerBytesMax} bytes; aborted`;
  if (code.startsWith('HPE_')) {
    const line = Buffer.from(rawPacket ?? [])
      .toString()
      .split(/\r?\n/, 1);
    return `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${quote((line[0] ?? '').slice(0, quotedCharsMax))}`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`;
  if (plainHTTPCodes.has(code)) return 'http: server gave HTTP response to HTTPS client';
  return describeConnectError(host, error);
}

/** What TLS makes of an answer in plain text. */
const plainHTTPCodes: ReadonlySet<string> = new Set([
  'EPROTO',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
]);

export function isPlainHTTP(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && plainHTTPCodes.has(String(cause.code));
}

/** A failed connection, in the words of Go's dialer. */
export function describeConnectError(address: string, error: NodeError): string {
  const known: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
    EMFILE: 'socket: too many open files',
    EADDRNOTAVAIL: 'connect: cannot assign requested address',
    EINVAL: 'connect: invalid argument',
  };
  const text = own(known, error.code ?? '');
  if (text) return `dial tcp ${address}: ${text}`;
  if (error.code === 'ECONNRESET') return error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer';
  if (error.code === 'EPIPE') return 'write: broken pipe';
  return error.message;
}
