/**
 * A watch over a WebSocket, as clients in Java ask for: one message per event, text for JSON, binary for protobuf. What
 * the client sends is ignored. Upstream: apiserver/pkg/endpoints/handlers/watch.go (HandleWS).
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { errors } from '../../../api/meta/status-error.ts';

const receivedBytesMax = 64 * 1024;

export const isWatchSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** What is written to it goes out as a message. Throws BadRequest for what is no handshake. */
export async function openWatchSocket(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<Duplex> {
  const { WebSocketServer, createWebSocketStream } = await import('ws');
  const server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: receivedBytesMax });
  const client = await new Promise<WebSocket>((resolve, reject) => {
    server.on('wsClientError', ({ message }) => reject(errors.badRequest(message)));
    server.handleUpgrade(request, socket, Buffer.from(head), resolve);
  });
  const stream = createWebSocketStream(client, { decodeStrings: false });
  stream.on('error', () => stream.destroy()); // the client is gone
  return stream.resume();
}
