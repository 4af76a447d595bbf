import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { suite, test } from 'node:test';
import { WebSocket } from 'ws';
import type { ConnectRequest } from '../endpoint.ts';
import { sendAsMessages } from './message-stream.ts';

/** What a client gets of a stream that says `hello`. */
async function receive(protocols: readonly string[]): Promise<string[]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('upgrade', (request, socket, head) => {
    const connect = { request, signal: new AbortController().signal } as unknown as ConnectRequest;
    void sendAsMessages(connect, { socket, head }, Readable.from([Buffer.from('hello')]));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, [...protocols]);
  const messages: string[] = [];
  client.on('message', (data: Buffer, isBinary) => messages.push(`${isBinary ? 'binary' : 'text'}:${data}`));
  await once(client, 'close');
  server.close();
  return messages;
}

suite('a stream as messages', () => {
  test('as they are', async () => assert.deepEqual(await receive([]), ['binary:', 'binary:hello']));
  test('said to be', async () => assert.deepEqual(await receive(['binary.k8s.io']), ['binary:', 'binary:hello']));
  test('as text', async () => assert.deepEqual(await receive(['base64.binary.k8s.io']), ['text:', 'text:aGVsbG8=']));
});
