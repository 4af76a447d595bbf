import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { WebSocket } from 'ws';
import type { ConnectTarget } from '../request/api-request.ts';
import { sendAsMessages } from './message-stream.ts';

/** What a client gets of a stream that says `hello`. */
async function receive(protocols: readonly string[]): Promise<string[]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('upgrade', (request, socket, head) => {
    const connect = { request, signal: new AbortController().signal, began: () => undefined } as unknown as ConnectTarget;
    void sendAsMessages(connect, { socket, head }, Readable.from([Buffer.from('hello')]));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, [...protocols]);
  const messages: string[] = [];
  client.on('message', (data: Buffer, isBinary) => messages.push(`${isBinary ? 'binary' : 'text'}:${data}`));
  await once(client, 'close');
  server.close();
  return messages;
}

/** Ends when the server has let go of the stream. */
async function refuse(): Promise<Readable> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const source = new Readable({ read: () => undefined });
  const served = Promise.withResolvers<void>();
  server.on('upgrade', (request, socket, head) => {
    const connect = { request, signal: new AbortController().signal, began: () => undefined } as unknown as ConnectTarget;
    sendAsMessages(connect, { socket, head }, source).then(served.resolve, served.reject);
  });
  const { port } = server.address() as AddressInfo;
  const asked = get({ port, host: '127.0.0.1', headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'none' } });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 400);
  answer.resume();
  await served.promise;
  server.close();
  return source;
}

suite('a stream as messages', () => {
  test('what is no WebSocket gets none, and the stream is closed', { timeout: 10_000 }, async () => {
    assert.equal((await refuse()).destroyed, true);
  });
  test('as they are', async () => assert.deepEqual(await receive([]), ['binary:', 'binary:hello']));
  test('said to be', async () => assert.deepEqual(await receive(['binary.k8s.io']), ['binary:', 'binary:hello']));
  test('as text', async () => assert.deepEqual(await receive(['base64.binary.k8s.io']), ['text:', 'text:aGVsbG8=']));
});
