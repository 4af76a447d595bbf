/**
 * Opens a SPDY/3.1 connection to a runtime's streaming server. A refusal is thrown with what the server said.
 * Upstream: k8s.io/streaming/pkg/httpstream/spdy/roundtripper.go.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { request } from '../../client/transport/node-http.ts';
import { RuntimeError } from '../runtime/container-runtime.ts';
import { connectToRuntime } from './runtime-socket.ts';

export interface DialedSpdy {
  readonly socket: Socket;
  /** what came with the head of the answer */
  readonly head: Buffer;
  /** the one that the server chose */
  readonly protocol: string;
}

export const spdyProtocol = 'SPDY/3.1';
export const streamProtocolHeader = 'x-stream-protocol-version';
const answerMsMax = 10_000;

export function dialSpdy(target: URL, protocols: readonly string[], signal: AbortSignal): Promise<DialedSpdy> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => reject(new RuntimeError('Unavailable', `unable to upgrade connection: ${message}`));
    const asked = request(target, {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: spdyProtocol, [streamProtocolHeader]: [...protocols] },
      createConnection: () => connectToRuntime(target.hostname, Number(target.port || 80)),
      timeout: answerMsMax,
      signal,
    });
    asked.on('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.setTimeout(0);
      socket.on('error', () => undefined); // it closes then, which is what counts
      const chosen = answer.headers[streamProtocolHeader];
      resolve({ socket, head, protocol: typeof chosen === 'string' ? chosen : '' });
    });
    asked.on('response', (answer) => text(answer).then((said) => fail(said.trim() || `${answer.statusCode}`), reject));
    asked.on('timeout', () => asked.destroy(new Error('the streaming server does not answer')));
    asked.on('error', (error) => fail(error.message));
    asked.end();
  });
}
