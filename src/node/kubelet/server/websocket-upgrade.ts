/** The subprotocols that a WebSocket request offers, and its upgrade to one of them. */
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { RuntimeError } from '../../runtime/container-runtime.ts';
import type { Upgrade } from './streaming-proxy.ts';

/** What the field's servers take at most. Upstream: golang.org/x/net/websocket. */
const messageBytesMax = 32 * 1024 * 1024;
/** Clients take any other end for a failure. */
export const normalClosure = 1000;

export const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** In the client's order; none offered is `['']`. */
export const offeredProtocols = ({ headers }: IncomingMessage): string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());

/** `protocol` is one that was offered. */
export async function acceptWebSocket({ request, socket, head }: Upgrade, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: () => protocol || false,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    server.on('wsClientError', ({ message }) => reject(new RuntimeError('InvalidArgument', `unable to upgrade: ${message}`)));
    server.handleUpgrade(request, socket, head, resolve);
  });
}
