/**
 * Hands an upgraded connection on to the runtime's streaming server, bytes as they are: SPDY, and what else the server
 * speaks; or SPDY in the messages of a WebSocket, as kubectl forwards ports.
 * Upstream: apimachinery/pkg/util/proxy/upgradeaware.go, apiserver/pkg/util/proxy/streamtunnel.go.
 */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { dialSpdy, spdyProtocol } from '../../streaming/dial-spdy.ts';
import { connectToRuntime } from '../../streaming/runtime-socket.ts';
import { acceptWebSocket, type UpgradeRequest } from './websocket-upgrade.ts';

const connectMs = 10_000;
/** how long a client may take to close */
const lingerMs = 10_000;
const tunnelPrefix = `${spdyProtocol}+`;

/** Resolves when the connection has ended. */
export async function proxyUpgrade({ request, socket, head }: UpgradeRequest, target: URL, signal: AbortSignal): Promise<void> {
  const upstream = connectToRuntime(target.hostname, Number(target.port || 80));
  upstream.setTimeout(connectMs, () => upstream.destroy(new Error('the streaming server does not answer')));
  upstream.once('connect', () => upstream.setTimeout(0));
  const close = (): void => {
    upstream.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  upstream.write(renderHead(request, target));
  if (head.length > 0) upstream.write(head);
  upstream.on('error', (error) => {
    if (upstream.bytesRead === 0 && !socket.destroyed) socket.write(renderErrorAnswer(502, error.message));
  });
  await join(socket, upstream);
  signal.removeEventListener('abort', close);
}

/** Of the subprotocols that a WebSocket request offers, those of SPDY that it would speak inside. */
export const tunneledProtocols = (offered: readonly string[]): string[] =>
  offered.filter((name) => name.startsWith(tunnelPrefix) && name.endsWith('.k8s.io')).map((name) => name.slice(tunnelPrefix.length));

/** Resolves when the connection has ended. */
export async function tunnelSpdy(upgrade: UpgradeRequest, target: URL, protocols: readonly string[], signal: AbortSignal): Promise<void> {
  const { socket, head, protocol } = await dialSpdy(target, protocols, signal);
  const close = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    const client = await acceptWebSocket(upgrade, tunnelPrefix + protocol);
    if (head.length > 0) socket.unshift(head);
    const { createWebSocketStream } = await import('ws');
    await join(createWebSocketStream(client), socket);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

/**
 * Resolves when the client has gone. When the runtime ends first, the client gets all it said, and then its end; what it
 * still sends is read and dropped: a connection that is closed with unread input takes unread output with it.
 */
function join(client: Duplex, upstream: Duplex): Promise<void> {
  client.pipe(upstream);
  upstream.pipe(client);
  upstream.on('close', () => {
    client.unpipe(upstream).resume().end();
    if (client instanceof Socket) client.setTimeout(lingerMs, () => client.destroy());
  });
  return new Promise((resolve) => {
    client.on('error', () => client.destroy());
    client.on('close', () => {
      upstream.destroy();
      resolve();
    });
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
export function renderErrorAnswer(status: number, message: string): string {
  const body = Buffer.from(message);
  return `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${message}`;
}
