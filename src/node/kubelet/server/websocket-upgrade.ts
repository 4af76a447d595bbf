/** The subprotocols that a WebSocket request offers, and its upgrade to one of them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { RuntimeError } from '../../runtime/container-runtime.ts';

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** what came after the request's head */
  readonly head: Buffer;
}

/** What the field's servers take at most. Upstream: golang.org/x/net/websocket. */
const messageBytesMax = 32 * 1024 * 1024;

export const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** In the client's order; none offered is `['']`. */
export const offeredProtocols = ({ headers }: IncomingMessage): string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());

/** `protocol` is one that was offered. Nothing is read before a stream is made of it, so that no message is lost. */
export async function acceptWebSocket({ request, socket, head }: UpgradeRequest, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false });
  // SPDY's names have a slash in them, which ws takes for no subprotocol: it is not shown what was offered.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (lines) => protocol && lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return new Promise((resolve, reject) => {
    server.on('wsClientError', ({ message }) => reject(new RuntimeError('InvalidArgument', `unable to upgrade: ${message}`)));
    server.handleUpgrade(request, socket, head, (client) => {
      client.pause();
      resolve(client);
    });
  });
}
