/**
 * Hands an upgraded connection on: sends the request's head to the backend, and when that agrees, bytes go both ways
 * untouched. Until then nothing of the client's but the head reaches the backend: who is refused has no connection to it
 * (CVE-2018-1002105). An error of the backend is what the client sees; a redirect, or anything else, is no upgrade.
 * Upstream: apimachinery/pkg/util/proxy/upgradeaware.go.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errors, isStatusError, messageOf } from '../../../api/meta/status-error.ts';
import { STATUS_CODES } from '../../../client/transport/node-http.ts';
import type { Connection } from '../request/api-request.ts';
import type { Dialer, DialTarget } from './dialer.ts';
import { describeBreak, openRequest, readErrorBody } from './http-forward.ts';
import { type Headers, requestHeaders, upgradeHeaders } from './proxied-headers.ts';

/** how long a side whose other has gone may take to close */
const lingerMs = 10_000;

export interface TunnelTarget extends DialTarget {
  readonly path: string;
  /** further headers that may pass (proxy subresources) */
  readonly passHeaders?: boolean;
  /** what the server itself says to the backend */
  readonly headers?: Headers | undefined;
}

export async function tunnel(connect: Connection, dialer: Dialer, target: TunnelTarget): Promise<void> {
  const { upgrade, request, signal } = connect;
  if (!upgrade) throw errors.badRequest('Upgrade request required');
  const headers = { ...(target.passHeaders && requestHeaders(request, false)), ...upgradeHeaders(request.headers), ...target.headers };
  const socket = await dialer.connect(target, signal).catch((error: unknown) => {
    if (isStatusError(error)) throw error;
    throw errors.unnamed(`error dialing backend: ${messageOf(error)}`);
  });
  const backend = openRequest({ createConnection: () => socket }, { target, method: request.method ?? 'GET', headers, signal });
  const answered = answerOf(backend);
  backend.end();
  const { answer, upgraded } = await answered;
  const client = upgrade.socket;
  if (!upgraded) return await refuse(connect, client, answer);
  connect.began(answer.statusCode ?? 0);
  client.write(renderHead(answer, answer.rawHeaders));
  if (upgraded.head.length > 0) client.write(upgraded.head);
  if (upgrade.head.length > 0) upgraded.socket.write(upgrade.head);
  await joinStreams(client, upgraded.socket, signal);
}

interface Answered {
  readonly answer: IncomingMessage;
  readonly upgraded?: { readonly socket: Socket; readonly head: Buffer };
}

const answerOf = (backend: ClientRequest): Promise<Answered> =>
  new Promise((resolve, reject) => {
    backend
      .on('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => resolve({ answer, upgraded: { socket, head } }))
      .on('response', (answer) => resolve({ answer }))
      .on('error', (error) => reject(errors.unnamed(describeBreak(error).replace(/^EOF$/, 'unexpected EOF'))))
      .on('close', () => reject(errors.unnamed('unexpected EOF')));
  });

/** The backend's own error, as the last that is said on this connection. */
async function refuse(connect: Connection, client: Duplex, answer: IncomingMessage): Promise<void> {
  const code = answer.statusCode ?? 0;
  if (code < 400) {
    answer.destroy();
    throw errors.unnamed(`invalid upgrade response: status code ${code}`);
  }
  const body = await readErrorBody(answer);
  connect.began(code);
  const type = answer.headers['content-type'];
  const headers = [
    ...(type === undefined ? [] : ['Content-Type', type]),
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Connection',
    'close',
  ];
  client.resume().end(renderHead(answer, headers) + body);
  if (client instanceof Socket) client.setTimeout(lingerMs, () => client.destroy());
}

function renderHead({ statusCode = 0, statusMessage }: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage || (STATUS_CODES[statusCode] ?? '')}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Ends when both sides have. A side whose other has gone gets all that was said, and then its end; what it still sends is
 * read and dropped: a connection that is closed with unread input takes unread output with it.
 */
function joinStreams(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  const end = (): void => {
    a.destroy();
    b.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  const joined = [a, b].map((stream, i) => {
    const other = i === 0 ? b : a;
    if (stream instanceof Socket) stream.setNoDelay(true);
    stream.pipe(other);
    stream.on('error', () => stream.destroy());
    return new Promise<void>((resolve) => {
      stream.on('close', () => {
        other.unpipe(stream).resume().end();
        if (other instanceof Socket) other.setTimeout(lingerMs, () => other.destroy());
        resolve();
      });
    });
  });
  return Promise.all(joined).then(() => signal.removeEventListener('abort', end));
}
