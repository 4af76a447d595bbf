/**
 * A WebSocket through the proxy: the handshake is sent on as it came, and what is said after it is carried in raw. Whatever
 * else a client would like to change to is not offered: `Upgrade: h2c` would lead past the routes.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { Clock } from '../../client/clock.ts';
import { STATUS_CODES, request as sendRequest } from '../../client/transport/node-http.ts';
import type { Backend, Chosen } from './backends.ts';
import { statusMax, triesMax } from './exchange.ts';
import { answerHeaders, type RequestHead } from './request-head.ts';
import { isSecure, type RoutePolicy } from './route-policy.ts';
import { connectTo } from './upstream.ts';

const handshakeHeaders = /^(?:connection|upgrade)$/i;

export interface WebSocketOptions {
  readonly head: RequestHead;
  readonly target: string;
  readonly socket: Duplex;
  /** what came after the handshake */
  readonly first: Buffer;
  readonly policy: RoutePolicy;
  readonly backend: Backend;
  readonly affinity: string | undefined;
  readonly clock: Clock;
  readonly over: (status: number, error?: Error) => void;
}

export const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

export function carryWebSocket(options: WebSocketOptions): void {
  const { socket, policy, backend, clock } = options;
  const tried = new Set<Chosen>();
  let asking: ClientRequest | undefined;
  let isOver = false;
  const over = (status: number, error?: Error): void => {
    if (isOver) return;
    isOver = true;
    options.over(status, error);
  };
  const refuse = (status: number, text: string, error?: Error): void => {
    over(status, error);
    sayOn(socket, { status, text }, options.clock);
  };
  socket.on('close', () => {
    asking?.destroy();
    over(499);
  });
  const ask = (): void => {
    const chosen = backend.choose(tried, tried.size === 0 ? options.affinity : undefined);
    if (!chosen) {
      refuse(tried.size === 0 ? 503 : 502, backend.problem ?? 'no endpoint answers');
      return;
    }
    tried.add(chosen);
    let isConnected = false;
    const upstream = surviveErrors(connectTo(chosen, { isSecure: isSecure(backend.protocol) })).once('close', () => backend.done(chosen));
    let request: ClientRequest;
    try {
      request = sendRequest(requestOptions(options, upstream));
    } catch (error) {
      upstream.destroy();
      refuse(400, 'the request can’t be passed on', error as Error);
      return;
    }
    asking = request;
    upstream.once(isSecure(backend.protocol) ? 'secureConnect' : 'connect', () => {
      isConnected = true;
      request.setTimeout(policy.readMs);
    });
    request.setTimeout(policy.connectMs, () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => {
      if (isOver) return;
      if (!isConnected) backend.refused(chosen);
      if (!isConnected && tried.size < triesMax && !socket.destroyed) ask();
      else refuse(502, 'the backend does not answer', error);
    });
    request.on('response', (response) => {
      const { statusCode = 502 } = response;
      if (statusCode > statusMax) {
        refuse(502, `the backend’s status ${statusCode} is none`);
        request.destroy();
        return;
      }
      over(statusCode);
      writeHead(socket, response);
      pipeline(response, socket, () => linger(socket, clock)); // broken off: the socket is, too
    });
    request.on('upgrade', (response, _, first) => {
      writeHead(socket, response);
      join(socket, upstream, policy.readMs);
      if (first.length > 0) socket.write(first);
      if (options.first.length > 0) upstream.write(options.first);
      upstream.once('close', () => over(101));
      socket.once('close', () => over(101));
    });
    request.end();
  };
  ask();
}

function requestOptions({ head, target }: WebSocketOptions, upstream: Socket) {
  return {
    createConnection: () => upstream,
    method: head.method,
    path: target,
    setHost: false,
    headers: ['host', head.host, ...head.headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
  };
}

/** Either's end is the other's; silence of both for long enough is the end of both. */
function join(client: Duplex, upstream: Socket, idleMs: number): void {
  upstream.setTimeout(idleMs, () => upstream.destroy());
  client.pipe(upstream).pipe(client);
  upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  client.on('close', () => upstream.destroy());
}

function writeHead(socket: Duplex, response: IncomingMessage): void {
  const { statusCode = 502, rawHeaders } = response;
  const isUpgrade = statusCode === 101;
  const headers = isUpgrade
    ? rawHeaders.filter((_, i) => !handshakeHeaders.test(rawHeaders[i - (i % 2)] ?? ''))
    : answerHeaders(rawHeaders, []);
  const more = isUpgrade ? ['Connection', 'Upgrade', 'Upgrade', 'websocket'] : ['Connection', 'close'];
  socket.write(renderHead(statusCode, [...headers, ...more]), 'latin1');
}

/** Node takes its own listener off a socket at an upgrade: without one, a client's reset would end the process. */
export function surviveErrors<S extends Duplex>(socket: S): S {
  socket.on('error', () => socket.destroy());
  return socket;
}

/** How long a client may take to read the last words, or to go on with what nobody reads. */
const lingerMs = 1000;
function linger(socket: Duplex, clock: Clock): void {
  socket.resume();
  const timer = clock.setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => timer.cancel());
}

export function sayOn(socket: Duplex, { status, text }: { readonly status: number; readonly text: string }, clock: Clock): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${status}: ${text}\n`;
  const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'];
  socket.end(renderHead(status, headers) + body);
  linger(socket, clock);
}

const renderHead = (status: number, headers: readonly string[]): string =>
  [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : [])),
    '',
    '',
  ].join('\r\n');
