/** Connections to an API server over TLS with a client certificate: HTTP/1.1, one request at a time; or HTTP/2, many. */
import { type ClientHttp2Session, connect as connectHTTP2 } from 'node:http2';
import { connect as connectTLS, type TLSSocket } from 'node:tls';
import { ResponseParser } from './response-parser.ts';

/** PEM texts, and where the server is */
export interface Access {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string | Uint8Array | undefined;
  /** default: application/json */
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
}

export interface LoadAnswer {
  readonly status: number;
  readonly bytes: number;
  /** only of failures, and when asked for */
  readonly text: string;
}

export interface Connection {
  /** Rejects when the connection breaks; any status is an answer. */
  send(request: LoadRequest, keepText?: boolean): Promise<LoadAnswer>;
  close(): void;
}

const failing = 400;

export async function openHTTP1(access: Access): Promise<Connection> {
  return new HTTP1Connection(access, await openSocket(access));
}

export function openSocket({ server, ca, cert, key }: Access): Promise<TLSSocket> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = connectTLS({ host: hostname, port: Number(port), ca, cert, key, ALPNProtocols: ['http/1.1'] }, () => resolve(socket));
    socket.once('error', reject);
    socket.setNoDelay(true);
  });
}

export function renderHead(
  server: string,
  { method, path, body, contentType = 'application/json', accept = 'application/json' }: LoadRequest,
): string {
  const content = body === undefined ? '' : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: ${new URL(server).host}\r\nAccept: ${accept}\r\nUser-Agent: bench\r\n${content}\r\n`;
}

class HTTP1Connection implements Connection {
  readonly #access: Access;
  #socket: TLSSocket;
  #answer: { status: number; bytes: number; pieces: Buffer[]; keepText: boolean; answered: PromiseWithResolvers<LoadAnswer> } | undefined;

  constructor(access: Access, socket: TLSSocket) {
    this.#access = access;
    this.#socket = socket;
    this.#attach(socket);
  }

  #attach(socket: TLSSocket): void {
    this.#socket = socket;
    const parser = new ResponseParser({
      head: (status) => {
        if (this.#answer) this.#answer.status = status;
      },
      body: (piece) => this.#body(piece),
      end: () => this.#end(),
    });
    socket.on('data', (data: Buffer) => parser.take(data));
    const broken = (error?: Error): void => this.#answer?.answered.reject(error ?? new Error('the server closed the connection'));
    socket.on('error', broken);
    socket.on('close', () => broken());
  }

  async send(request: LoadRequest, keepText = false): Promise<LoadAnswer> {
    // Servers close connections that were idle for some seconds.
    if (this.#socket.destroyed || this.#socket.readableEnded) this.#attach(await openSocket(this.#access));
    const answered = Promise.withResolvers<LoadAnswer>();
    this.#answer = { status: 0, bytes: 0, pieces: [], keepText, answered };
    const head = renderHead(this.#access.server, request);
    if (typeof request.body === 'object') {
      this.#socket.write(head);
      this.#socket.write(request.body);
    } else this.#socket.write(head + (request.body ?? ''));
    return answered.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #body(piece: Buffer): void {
    const answer = this.#answer;
    if (!answer) return;
    answer.bytes += piece.length;
    if (answer.keepText || answer.status >= failing) answer.pieces.push(Buffer.from(piece));
  }

  #end(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.answered.resolve({ status: answer.status, bytes: answer.bytes, text: Buffer.concat(answer.pieces).toString() });
  }
}

export function openHTTP2({ server, ca, cert, key }: Access): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const session = connectHTTP2(server, { ca, cert, key }, () => resolve(new HTTP2Connection(session)));
    session.once('error', reject);
  });
}

class HTTP2Connection implements Connection {
  readonly #session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  send({ method, path, body, contentType = 'application/json' }: LoadRequest, keepText = false): Promise<LoadAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<LoadAnswer>();
    const headers = {
      ':method': method,
      ':path': path,
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': contentType }),
    };
    const stream = this.#session.request(headers, { endStream: body === undefined });
    let status = 0;
    let bytes = 0;
    const pieces: Buffer[] = [];
    stream.on('response', (head) => {
      status = head[':status'] ?? 0;
    });
    stream.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (keepText || status >= failing) pieces.push(piece);
    });
    stream.on('end', () => resolve({ status, bytes, text: Buffer.concat(pieces).toString() }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
    return promise;
  }

  close(): void {
    this.#session.destroy();
  }
}
