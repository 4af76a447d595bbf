/**
 * The proxy itself: HTTP/1.1 and HTTP/2 of clients, to the endpoints that a route table leads to. It knows nothing of
 * Ingresses: whoever makes routes, backends and certificates, it serves.
 *
 * What a request meets, in this order: 400 for what is malformed, 404 without a route, 414 for a path too long for patterns, 403 for who may not ask, 308 to TLS,
 * 204 for a preflight, 413 for a body that says it is too large, 503 without an endpoint; then the endpoint (exchange.ts).
 * Nodes' own parsers read requests, strictly: what could be read in two ways is refused. Connections, streams, heads and
 * the time for a head are bounded.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerResponse } from 'node:http2';
import { type BlockList, createServer as createTCPServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import type { Log } from '../../client/log.ts';
import { createServer } from '../../client/transport/node-http.ts';
import type { Backend } from './backends.ts';
import { answerTo } from './client-answer.ts';
import { Exchange, type Outcome } from './exchange.ts';
import { normalPath, writePath } from './path.ts';
import { type ProxyRequest, type RequestHead, readHead } from './request-head.ts';
import type { CORS, RoutePolicy } from './route-policy.ts';
import { PathTooLong } from './route-table.ts';
import { carryWebSocket, isWebSocket, sayOn, surviveErrors } from './websocket.ts';

export interface ProxyRoute {
  readonly owner: string;
  readonly policy: RoutePolicy;
}

/** Asked at each request, so that a change is there with the next one. */
export interface Routing<R extends ProxyRoute = ProxyRoute> {
  /** Throws PathTooLong. */
  find(host: string, path: string): { readonly route: R; readonly groups?: readonly string[] | undefined } | undefined;
  backendOf(route: R): Backend | undefined;
}

export interface Certificates {
  /** of a host; undefined: none is known */
  contextOf(serverName: string): SecureContext | undefined;
  /** for who names no host, or one without a certificate */
  selfMade(): Promise<{ readonly cert: string; readonly key: string; readonly context: SecureContext }>;
}

export interface DataPlaneOptions<R extends ProxyRoute> {
  readonly routing: Routing<R>;
  readonly certificates: Certificates;
  readonly clock: Clock;
  readonly log: Log;
  /** until a head is whole, and a handshake done; default 30 s */
  readonly headMs?: number | undefined;
}

const connectionsMax = 10_000;
const streamsMax = 128;
const headBytesMax = 64 * 1024;
const headersMax = 256;
const headMsDefault = 30_000;
/** How often slow heads are looked for. */
const checkMs = 5000;
/** Requests under way. */
const requestsMax = 10_000;
/** Of a client's connection without requests. */
const idleMs = 75_000;
const secretPort = 443;

/** What could be read in two ways is refused. */
const strict = (headMs: number) => ({
  insecureHTTPParser: false,
  maxHeaderSize: headBytesMax,
  headersTimeout: headMs,
  requestTimeout: 0, // bodies have time-outs of their own, between their pieces
  keepAliveTimeout: idleMs,
  connectionsCheckingInterval: Math.min(checkMs, headMs),
});

interface Via {
  readonly isSecure: boolean;
  readonly port: number;
}

export class DataPlane<R extends ProxyRoute> implements AsyncDisposable {
  readonly #options: DataPlaneOptions<R>;
  readonly #listeners: Server[] = [];
  readonly #sockets = new Set<Duplex>();
  readonly #plain: ReturnType<typeof createServer>;
  readonly #secure: ReturnType<typeof createSecureServer>;
  #hasSelfMade: Promise<unknown> | undefined;
  #underWay = 0;
  /** that TLS is reached by */
  #securePort = secretPort;

  constructor(options: DataPlaneOptions<R>) {
    this.#options = options;
    const { headMs = headMsDefault } = options;
    this.#plain = createServer({ ...strict(headMs), noDelay: true });
    this.#secure = createSecureServer({
      ...strict(headMs),
      http1Options: strict(headMs),
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: headMs,
      settings: { maxConcurrentStreams: streamsMax, maxHeaderListSize: headBytesMax, enableConnectProtocol: false },
      maxHeaderListPairs: headersMax,
      strictSingleValueFields: false, // a field that a back end says twice is said twice
      maxSessionRejectedStreams: streamsMax,
      SNICallback: (name, found) => this.#contextOf(name, found),
    });
    this.#secure.on('secureConnection', surviveErrors);
    this.#secure.on('session', (session) => session.setTimeout(idleMs, () => session.close()));
    this.#secure.on('sessionError', (error) => options.log.debug({ error }, 'a session broke'));
    for (const server of [this.#plain, this.#secure] as const) {
      const isSecure = server === this.#secure;
      (server as { maxHeadersCount?: number }).maxHeadersCount = headersMax;
      (server as { shouldUpgradeCallback?: (request: IncomingMessage) => boolean }).shouldUpgradeCallback = isWebSocket;
      server.on('request', (request: IncomingMessage, response: ServerResponse) =>
        this.#guard(response, () => this.#request(request, response, isSecure)),
      );
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) =>
        this.#guard(socket, () => this.#upgrade(request, { socket, first }, isSecure)),
      );
      server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => this.#malformed(error, socket));
      server.on('tlsClientError', (error: Error, socket: Duplex) => {
        options.log.debug({ error }, 'a TLS handshake failed');
        socket.destroy();
      });
      server.emit('listening'); // its listeners are below: this starts its own watch over slow heads
    }
  }

  /** On all of these addresses, by the first of these ports that is free on all of them. `::1` may be missing. */
  async listen(hosts: readonly string[], ports: readonly number[], { isSecure }: { readonly isSecure: boolean }): Promise<number> {
    for (const [i, wanted] of ports.entries()) {
      const opened: Server[] = [];
      try {
        let port = wanted;
        for (const host of hosts) {
          const server = await this.#open(host, port, isSecure);
          if (!server) continue;
          opened.push(server);
          port = portOf(server);
        }
        this.#listeners.push(...opened);
        if (isSecure) this.#securePort = port;
        return port;
      } catch (error) {
        for (const server of opened) server.close();
        const { code } = error as NodeJS.ErrnoException;
        if ((code !== 'EADDRINUSE' && code !== 'EACCES') || i === ports.length - 1) throw error;
      }
    }
    throw new Error('no port to listen on');
  }

  async #open(host: string, port: number, isSecure: boolean): Promise<Server | undefined> {
    const server = createTCPServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#connected(socket, isSecure));
    server.maxConnections = connectionsMax;
    const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
    server.once('error', (error: NodeJS.ErrnoException) =>
      isIPv6(host) && error.code !== 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ host, port, ipv6Only: false }, () => {
      server.removeAllListeners('error').on('error', (error) => this.#options.log.warn({ error }, 'a listener failed'));
      resolve(server);
    });
    return promise;
  }

  #connected(socket: Socket, isSecure: boolean): void {
    this.#sockets.add(socket);
    surviveErrors(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (!isSecure) {
      this.#plain.emit('connection', socket);
      socket.resume();
      return;
    }
    this.#hasSelfMade ??= this.#useSelfMade();
    const hasSelfMade = this.#hasSelfMade;
    detach(
      async () => {
        await hasSelfMade;
        this.#secure.emit('connection', socket);
      },
      () => socket.destroy(),
    );
  }

  /** Made when the first client comes: it takes a tenth of a second. */
  async #useSelfMade(): Promise<void> {
    const { cert, key } = await this.#options.certificates.selfMade();
    this.#secure.setSecureContext({ cert, key });
  }

  #contextOf(name: string, found: (error: Error | null, context?: SecureContext) => void): void {
    const { certificates } = this.#options;
    detach(
      async () => found(null, certificates.contextOf(name.toLowerCase()) ?? (await certificates.selfMade()).context),
      (error) => found(error as Error),
    );
  }

  /** A fault ends its request, and nothing else. */
  #guard(answer: { destroy(): unknown }, serve: () => void): void {
    try {
      serve();
    } catch (error) {
      this.#options.log.warn({ error }, 'a request failed');
      answer.destroy();
    }
  }

  #request(request: ProxyRequest, response: ServerResponse | Http2ServerResponse, isSecure: boolean) {
    const answer = answerTo(response, this.#options.clock);
    const sinceMs = this.#options.clock.monotonic();
    const via = { isSecure, port: request.socket.localPort ?? 0 };
    const planned = this.#plan(request, via);
    const log = (outcome: Outcome): void => this.#logAccess(planned, outcome, sinceMs);
    if ('refused' in planned) {
      const { status, text, headers } = planned.refused;
      answer.say(status, text, headers);
      return log({ status, endpoint: undefined, tries: 0 });
    }
    const { head, target, route, backend, affinity, moreHeaders } = planned;
    const body = head.hasBody ? request : undefined;
    this.#underWay++;
    const over = (outcome: Outcome): void => {
      this.#underWay--;
      log(outcome);
    };
    new Exchange({
      head,
      target,
      body,
      answer,
      policy: route.policy,
      backend,
      affinity,
      moreHeaders,
      clock: this.#options.clock,
      over,
    });
  }

  #upgrade(request: IncomingMessage, { socket, first }: { readonly socket: Duplex; readonly first: Buffer }, isSecure: boolean) {
    const sinceMs = this.#options.clock.monotonic();
    const planned = this.#plan(request, { isSecure, port: request.socket.localPort ?? 0 });
    const over = (status: number, error?: Error): void =>
      this.#logAccess(planned, { status, endpoint: undefined, tries: 1, error }, sinceMs);
    if ('refused' in planned) {
      const { status, text } = planned.refused;
      sayOn(socket, { status, text }, this.#options.clock);
      return over(status);
    }
    const { head, target, route, backend, affinity } = planned;
    carryWebSocket({ head, target, socket, first, policy: route.policy, backend, affinity, clock: this.#options.clock, over });
  }

  #plan(request: ProxyRequest, via: Via): Planned<R> {
    const head = readHead(request, via);
    if (!head) return refusal(undefined, 400, 'bad request');
    const query = head.target.indexOf('?');
    const path = normalPath(query < 0 ? head.target : head.target.slice(0, query));
    if (path === undefined) return refusal(head, 400, 'bad request');
    const { routing } = this.#options;
    let found: ReturnType<typeof routing.find>;
    try {
      found = routing.find(head.hostName, path);
    } catch (error) {
      if (!(error instanceof PathTooLong)) throw error;
      return refusal(head, 414, 'the path is too long for the patterns of this host');
    }
    if (!found) return refusal(head, 404, 'no route for this host and path');
    const { route, groups } = found;
    const { policy } = route;
    const moreHeaders = policy.cors ? corsHeaders(policy.cors, head.origin) : [];
    if (!mayAsk(policy, head.peer)) return refusal(head, 403, 'not from this address');
    if (policy.redirectsToTLS && !via.isSecure) return refusal(head, 308, 'by TLS', ['location', this.#secureURL(head)]);
    if (policy.cors && head.method === 'OPTIONS' && head.origin !== undefined)
      return refusal(head, 204, '', [...moreHeaders, ...preflightHeaders(policy.cors)]);
    if ((head.length ?? 0) > (policy.bodyBytesMax ?? Number.POSITIVE_INFINITY))
      return refusal(head, 413, 'the body is too large', moreHeaders);
    if (this.#underWay >= requestsMax) return refusal(head, 503, 'too many requests are under way', moreHeaders);
    const backend = routing.backendOf(route);
    if (!backend) return refusal(head, 503, 'the route leads to nothing that can be asked', moreHeaders);
    const rest = query < 0 ? '' : head.target.slice(query);
    const target = policy.rewrite === undefined ? head.target : writePath(rewritten(policy.rewrite, groups)) + rest;
    return { head, target, route, backend, affinity: policy.affinity && cookieIn(head.cookie, policy.affinity.name), moreHeaders };
  }

  #secureURL({ hostName, target }: RequestHead): string {
    return `https://${hostName}${this.#securePort === secretPort ? '' : `:${this.#securePort}`}${target}`;
  }

  #malformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    this.#options.log.debug({ error }, 'a client spoke no HTTP');
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    if (error.code === 'ECONNRESET') socket.destroy();
    else sayOn(socket, { status, text: 'bad request' }, this.#options.clock);
  }

  #logAccess(planned: Planned<R>, { status, endpoint, tries, error }: Outcome, sinceMs: number): void {
    const { clock, log } = this.#options;
    if (!log.isDebug) return;
    const { head } = planned;
    const ingress = 'route' in planned ? planned.route.owner : undefined;
    const ms = Math.round(clock.monotonic() - sinceMs);
    log.debug(
      { peer: head?.peer, method: head?.method, host: head?.host, path: head?.target, status, ms, ingress, endpoint, tries, error },
      'request',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#listeners.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    this.#plain.close();
    this.#secure.close();
    await Promise.all(closed);
  }
}

interface Refused {
  readonly head: RequestHead | undefined;
  readonly refused: { readonly status: number; readonly text: string; readonly headers: readonly string[] };
}

type Planned<R> =
  | Refused
  | {
      readonly head: RequestHead;
      readonly target: string;
      readonly route: R;
      readonly backend: Backend;
      readonly affinity: string | undefined;
      readonly moreHeaders: readonly string[];
    };

const refusal = (head: RequestHead | undefined, status: number, text: string, headers: readonly string[] = []): Refused => ({
  head,
  refused: { status, text: text && `${status}: ${text}\n`, headers },
});

const listed = (list: BlockList, address: string): boolean => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
const mayAsk = ({ allowed, denied }: RoutePolicy, peer: string): boolean =>
  !(denied && listed(denied, peer)) && (!allowed || listed(allowed, peer));

/** `$1` and so on; what was not captured is nothing. */
const rewritten = (to: string, groups: readonly string[] = []): string => {
  const path = to.replaceAll(/\$(\d)/g, (_, digit: string) => groups[Number(digit)] ?? '');
  return path.startsWith('/') ? path : `/${path}`;
};

function cookieIn(cookies: string | undefined, name: string): string | undefined {
  for (const pair of cookies?.split(';') ?? []) {
    const [key, value] = pair.split('=', 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

function corsHeaders({ origins, credentials, exposed }: CORS, origin: string | undefined): readonly string[] {
  if (origin === undefined) return [];
  const isAny = origins.includes('*');
  if (!isAny && !origins.some((each) => isOrigin(each, origin))) return [];
  return [
    ...['access-control-allow-origin', isAny ? '*' : origin],
    ...(isAny ? [] : ['vary', 'Origin']),
    ...(credentials ? ['access-control-allow-credentials', 'true'] : []),
    ...(exposed === undefined ? [] : ['access-control-expose-headers', exposed]),
  ];
}

/** One label for the wildcard. */
function isOrigin(pattern: string, origin: string): boolean {
  const [before, after] = pattern.split('*', 2);
  if (after === undefined) return pattern === origin;
  return (
    origin.startsWith(before ?? '') &&
    origin.endsWith(after) &&
    /^[^./:]+$/.test(origin.slice(before?.length, origin.length - after.length))
  );
}

const preflightHeaders = ({ methods, headers, maxAgeSeconds }: CORS): readonly string[] => [
  ...['access-control-allow-methods', methods, 'access-control-allow-headers', headers],
  ...['access-control-max-age', String(maxAgeSeconds)],
];

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
