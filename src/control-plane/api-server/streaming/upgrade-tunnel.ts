/**
 * Hands an upgraded connection on: opens a connection to the backend, sends the request's head, and from then on bytes
 * go both ways untouched. The backend's own answer (101 or an error) is what the client sees.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errors } from '../../../api/meta/status-error.ts';
import type { ConnectRequest } from '../endpoint.ts';

/** Headers that make an upgrade; nothing else of the client's request reaches the backend, its credentials least of all. */
const forwardedHeaders = /^(connection|upgrade|x-stream-protocol-version|sec-websocket-(version|key|protocol|extensions))$/i;

/** how long a side whose other has gone may take to close */
const lingerMs = 10_000;

export interface TunnelTarget {
  /** connects; the returned stream is open */
  connect(signal: AbortSignal): Promise<Duplex>;
  readonly host: string;
  readonly path: string;
  /** further headers that may pass (proxy subresources) */
  readonly passHeaders?: boolean;
}

export async function tunnel(connect: ConnectRequest, target: TunnelTarget): Promise<void> {
  const { upgrade, request, signal } = connect;
  if (!upgrade) throw errors.badRequest('Upgrade request required');
  let backend: Duplex;
  try {
    backend = await target.connect(signal);
  } catch (error) {
    throw errors.internal(`error dialing backend: ${error instanceof Error ? error.message : String(error)}`);
  }
  const client = upgrade.socket;
  const lines = [`${request.method ?? 'GET'} ${target.path} HTTP/1.1`, `Host: ${target.host}`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || !(forwardedHeaders.test(name) || (target.passHeaders && !/^(host|authorization)$/i.test(name)))) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  backend.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (upgrade.head.length) backend.write(upgrade.head);
  await joinStreams(client, backend, signal);
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
