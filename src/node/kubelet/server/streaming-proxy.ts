/**
 * Hands an upgraded connection on to the runtime's streaming server, bytes as they are: SPDY and WebSocket alike.
 * Upstream: apimachinery/pkg/util/proxy/upgradeaware.go.
 */
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** what came after the request's head */
  readonly head: Buffer;
}

const connectMs = 10_000;

/** Resolves when the connection has ended. */
export async function proxyUpgrade({ request, socket, head }: Upgrade, target: URL, signal: AbortSignal): Promise<void> {
  const upstream = connect({ host: target.hostname, port: Number(target.port || 80), signal, timeout: connectMs });
  upstream.once('connect', () => {
    upstream.setTimeout(0);
    upstream.setNoDelay(true);
  });
  upstream.once('timeout', () => upstream.destroy(new Error('the streaming server does not answer')));
  upstream.write(renderHead(request, target));
  if (head.length > 0) upstream.write(head);
  await new Promise<void>((resolve) => {
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
      resolve();
    };
    upstream.on('error', (error) => {
      if (upstream.bytesRead === 0 && !socket.destroyed) socket.write(renderError(502, error.message));
      end();
    });
    socket.on('error', end);
    upstream.on('close', end);
    socket.on('close', end);
    socket.pipe(upstream);
    upstream.pipe(socket);
  });
}

/** As it came, for another host and path; credentials stay here. */
function renderHead(request: IncomingMessage, target: URL): string {
  const lines = [`${request.method} ${target.pathname}${target.search} HTTP/1.1`, `Host: ${target.host}`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (/^(host|authorization)$/i.test(name)) continue;
    lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
};

/** A refusal on a connection that asked to be upgraded. */
export function renderError(status: number, message: string): string {
  const body = Buffer.from(message);
  return `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${message}`;
}
