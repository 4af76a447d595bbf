/**
 * The server's sockets: TLS 1.2 and up, HTTP/2 and HTTP/1.1 on one port, client certificates asked for and verified.
 *
 * A certificate that does not verify is no identity: with nothing else to show for himself, its owner is refused.
 * `close` lets requests finish for a while, then breaks the rest off.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import type { Log } from '../../../client/log.ts';
import { answerHeadBytesMax, requestHeadBytesMax, requestHeadersMax } from '../../../client/transport/node-http.ts';
import type { AuthenticationRequest } from '../authentication/authenticator.ts';
import type { HTTPHandler } from './http-handler.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
  readonly tls: {
    /** PEM */
    readonly key: string;
    /** PEM, with intermediates */
    readonly cert: string;
    /** PEM: who signs client certificates; absent: they are not asked for */
    readonly clientCA?: string;
  };
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

const closeGraceMs = 5000;
const concurrentStreamsMax = 1000;
/** How long a connection without requests is kept, as upstream's server does. */
const idleMs = 90_000;
/** How long the handshake of a connection may take, and the headers of a request; so often it is looked at. */
const headersMs = 32_000;
const checkMs = 10_000;
/** As the protocol has it, in both directions: what a connection keeps to shorten its headers. */
const headerTableBytes = 4096;
/** Nine pieces are the most that the library takes for a head, so 1 MiB has to fit into nine. */
const frameBytesMax = 128 * 1024;
/** What one connection of HTTP/2 may do, beside its streams. */
const sessionLimits = {
  /**
   * Of all its streams, in MB: a net below what is really meant. The memory of answers is bounded per user (flow-control.ts,
   * untaken-bytes.ts); a full connection would refuse its streams, and a thousand watches of a large list share one.
   */
  maxSessionMemory: 1024,
  /** Malformed frames and streams over the limit, then the connection ends: a burst before the settings arrive is no attack. */
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: concurrentStreamsMax,
  /** Streams that are opened and reset at once: so many together, then so many a second. Ending watches looks like that. */
  streamResetBurst: 1000,
  streamResetRate: 33,
  /** Entries of one SETTINGS frame; there are seven. */
  maxSettings: 32,
  /** Of ours, which we never send. */
  maxOutstandingPings: 10,
  /** The head of an answer: what a proxied server says passes through. */
  maxSendHeaderBlockLength: answerHeadBytesMax,
  maxDeflateDynamicTableSize: headerTableBytes,
  /** How long a connection that chose a protocol of neither kind is kept. */
  unknownProtocolTimeout: 10_000,
  /** The length of an answer is no secret. */
  paddingStrategy: constants.PADDING_STRATEGY_NONE,
};
/** The first bytes of a body of ordinary size fit, so that its sender need not wait. */
const windowBytes = 1024 * 1024;
/** As Go's server does. */
const lingerMs = 500;
const bareFailure = 'Internal Server Error\n';

type Request = IncomingMessage | Http2ServerRequest;

export async function listen(
  handler: HTTPHandler,
  options: ListenOptions,
  tools: { readonly clock: Clock; readonly log: Log; readonly stopWatches: () => void },
): Promise<Listening> {
  const { host, port, tls } = options;
  const server = createSecureServer({
    key: tls.key,
    cert: tls.cert,
    ...(tls.clientCA && { ca: tls.clientCA, requestCert: true, rejectUnauthorized: false }),
    minVersion: 'TLSv1.2',
    allowHTTP1: true,
    handshakeTimeout: headersMs,
    http1Options: { keepAliveTimeout: idleMs, headersTimeout: headersMs, connectionsCheckingInterval: checkMs },
    noDelay: true, // else the last piece of an answer waits until the client has acknowledged the one before
    settings: {
      maxConcurrentStreams: concurrentStreamsMax,
      initialWindowSize: windowBytes,
      maxHeaderListSize: requestHeadBytesMax,
      headerTableSize: headerTableBytes,
      maxFrameSize: frameBytesMax,
      enableConnectProtocol: false,
    },
    ...sessionLimits,
    maxHeaderListPairs: requestHeadersMax,
    maxHeaderSize: requestHeadBytesMax,
  } as Parameters<typeof createSecureServer>[0]);
  (server as { maxHeadersCount?: number }).maxHeadersCount = requestHeadersMax + 1; // one too many is refused
  const connections = new Connections(server, tools.clock);
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    connections.hold(request, response);
    detach(
      () => handler.handle(request, response as unknown as ServerResponse, connections.certificateOf(request)),
      (error) => giveUp(response as unknown as ServerResponse, error, tools.log),
    );
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (error) => tools.log.debug({ error }, 'an upgraded connection broke'));
    detach(
      () => handler.upgrade(request, { socket, head }, connections.certificateOf(request)),
      (error) => giveUp(socket, error, tools.log),
    );
  });
  server.on('sessionError', (error) => tools.log.debug({ error }, 'a session broke'));
  server.on('tlsClientError', (error, socket) => {
    tools.log.debug({ error }, 'a TLS handshake failed');
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    tools.log.debug({ error }, 'a client spoke no HTTP');
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      tools.stopWatches();
      await connections.close();
    },
  };
}

/** What is known of each connection, and their orderly end. */
class Connections {
  readonly #server: Http2SecureServer;
  readonly #clock: Clock;
  /** connections that have not come to speak TLS, by their other end */
  readonly #strangers = new Map<string, Socket>();
  /** connections of HTTP/1.1, and how many requests of each are under way */
  readonly #sockets = new Map<TLSSocket, number>();
  #closing = false;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #certificates = new WeakMap<object, AuthenticationRequest['certificate']>();

  constructor(server: Http2SecureServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    server.on('connection', (socket: Socket) => {
      const end = endOf(socket);
      this.#strangers.set(end, socket);
      socket.once('close', () => this.#strangers.delete(end));
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#strangers.delete(endOf(socket));
      if (socket.alpnProtocol === 'h2') return;
      this.#lingerAtEnd(socket);
      this.#sockets.set(socket, 0);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      // Whatever is still under way, a silent watch, goes on to its end.
      session.setTimeout(idleMs, () => session.close());
    });
  }

  hold(request: Request, response: Http2ServerResponse): void {
    if (request.httpVersionMajor >= 2) return;
    const socket = request.socket as TLSSocket;
    this.#sockets.set(socket, (this.#sockets.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const requests = this.#sockets.get(socket);
      if (requests === undefined) return;
      this.#sockets.set(socket, requests - 1);
      if (this.#closing && requests === 1) socket.destroySoon();
    });
  }

  /** What the request's connection showed; the same bytes for all its requests. */
  certificateOf(request: Request): AuthenticationRequest['certificate'] {
    const connection = 'stream' in request ? request.stream.session : request.socket;
    if (!connection) return undefined;
    let certificate = this.#certificates.get(connection);
    if (certificate === undefined && !this.#certificates.has(connection)) {
      certificate = readCertificate(('stream' in request ? request.stream.session?.socket : request.socket) as TLSSocket);
      this.#certificates.set(connection, certificate);
    }
    return certificate;
  }

  /**
   * After the last answer of a connection of HTTP/1.1. One that is closed while its client still sends may take the answer
   * with it: so what still comes is dropped for a while, until the client has closed too.
   */
  #lingerAtEnd(socket: TLSSocket): void {
    const closeNow = socket.destroySoon.bind(socket);
    socket.destroySoon = () => {
      if (this.#closing) return closeNow();
      socket.end();
      const timer = this.#clock.setTimeout(() => socket.destroy(), lingerMs);
      socket.once('close', () => timer.cancel());
    };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    // Connections of HTTP/1.1 without a request under way have nothing to wait for.
    this.#closing = true;
    for (const socket of this.#strangers.values()) socket.destroy();
    for (const [socket, requests] of this.#sockets) if (requests === 0) socket.destroySoon();
    const timer = this.#clock.setTimeout(() => this.#destroy(), closeGraceMs);
    await closed;
    timer.cancel();
  }

  #destroy(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }
}

/** What answers and refuses has failed itself: this exchange ends, with a bare 500 if nothing has been said yet. */
function giveUp(exchange: ServerResponse | Duplex, error: unknown, log: Log): void {
  log.error({ error }, 'a request failed by a fault of the server');
  if (!('headersSent' in exchange) || exchange.headersSent) {
    exchange.destroy();
    return;
  }
  try {
    exchange.writeHead(500, { 'content-type': 'text/plain', 'content-length': bareFailure.length }).end(bareFailure);
  } catch {
    exchange.destroy(); // a header that was set before is the fault
  }
}

const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

function readCertificate(socket: TLSSocket): AuthenticationRequest['certificate'] {
  const { raw } = socket.getPeerCertificate?.() ?? {};
  return raw && (socket.authorized ? raw : 'unverified');
}
