/**
 * A stream of bytes as messages of a WebSocket, for browsers, which can't read an answer while it comes: first an empty
 * message, then the bytes, as they are or (`base64.binary.k8s.io`) as text. What the client sends is ignored.
 * Upstream: k8s.io/streaming/pkg/httpstream/wsstream/stream.go.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ConnectTarget } from '../request/api-request.ts';

const switchingProtocols = 101;
const base64Protocol = 'base64.binary.k8s.io';
const protocols = ['binary.k8s.io', base64Protocol];

export async function sendAsMessages(
  connect: ConnectTarget,
  { socket, head }: NonNullable<ConnectTarget['upgrade']>,
  source: Readable,
): Promise<void> {
  const { request, signal } = connect;
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered].find((protocol) => protocols.includes(protocol)) ?? false,
  });
  const end = (): void => {
    source.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  // Upgrades come over HTTP/1.1 only. What is no WebSocket's the server has answered itself, and closed.
  const client = await new Promise<WebSocket | undefined>((resolve) => {
    socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request as IncomingMessage, socket, Buffer.from(head), resolve);
  });
  if (!client) return end();
  connect.began(switchingProtocols);
  client.on('close', end).on('error', end);
  const send = (message: Buffer | string): Promise<void> =>
    new Promise((resolve, reject) => client.send(message, (error) => (error ? reject(error) : resolve())));
  const isText = client.protocol === base64Protocol;
  try {
    await send(isText ? '' : Buffer.alloc(0));
    for await (const chunk of source as AsyncIterable<Buffer>) await send(isText ? chunk.toString('base64') : chunk);
  } catch (error) {
    if (client.readyState === client.OPEN && !signal.aborted) throw error; // else the client went away: nothing left to tell it
  } finally {
    signal.removeEventListener('abort', end);
    end();
    client.close();
  }
}
