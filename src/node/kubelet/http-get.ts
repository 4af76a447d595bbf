/**
 * The GET that probes and lifecycle hooks make: no proxy, no connection kept, certificates not verified, redirects
 * followed on the same host only.
 * Upstream: pkg/probe/http/{http,request}.go, pkg/probe/util.go.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Container, HTTPGetAction } from '../../api/generated/core-v1.ts';
import { own, put } from '../../api/meta/words.ts';

const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;
/** of an answer: Node's own limit is tighter than what servers send */
const headerBytesMax = 1024 * 1024;

export interface HTTPGet {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[]>>;
}
export interface HTTPAnswer {
  readonly statusCode: number;
  readonly body: string;
}

/** Throws for a port that the container does not have. */
export function planHTTPGet(
  action: HTTPGetAction,
  container: Container,
  at: { readonly podIP: string; readonly purpose: 'probe' | 'lifecycle' },
): HTTPGet {
  const host = action.host || at.podIP;
  const port = resolvePort(action.port, container);
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path ?? '/';
  const url = new URL(`${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
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
  if (number > 0 && number < 65536) return number;
  throw new Error(`invalid port number: ${number}`);
}

/** Rejects when there is no answer; the signal carries the time limit. */
export async function httpGet(get: HTTPGet, signal: AbortSignal): Promise<HTTPAnswer> {
  let { url } = get;
  for (let hops = 0; ; hops++) {
    const response = await send(url, get.headers, signal);
    const { statusCode = 0 } = response;
    const location = statusCode >= 301 && statusCode <= 308 && statusCode !== 304 ? response.headers.location : undefined;
    const next = location === undefined ? undefined : new URL(location, url);
    if (!next || next.hostname !== get.url.hostname) return { statusCode, body: await readBody(response) };
    response.destroy();
    if (hops + 1 >= redirectsMax) throw new Error(`Get "${next}": stopped after ${redirectsMax} redirects`);
    url = next;
  }
}

function send(url: URL, headers: HTTPGet['headers'], signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'GET',
      headers: { ...headers },
      agent: false as const,
      signal,
      rejectUnauthorized: false,
      maxHeaderSize: headerBytesMax,
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve);
    request.on('error', (error) => {
      reject(
        new Error(
          `Get "${url}": ${signal.aborted ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : describeDial(url, error)}`,
          { cause: error },
        ),
      );
    });
    request.end();
  });
}

/** A failed connection, in the words of Go's dialer. */
function describeDial(url: URL, error: Error & { readonly code?: string }): string {
  return describeConnectError(url.host, error);
}

export function describeConnectError(address: string, error: Error & { readonly code?: string }): string {
  const known: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'i/o timeout',
  };
  const text = own(known, error.code ?? '');
  if (text) return `dial tcp ${address}: ${text}`;
  if (error.code === 'ECONNRESET') return 'EOF';
  return error.message;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bodyBytesMax) break;
  }
  response.destroy();
  return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString();
}
