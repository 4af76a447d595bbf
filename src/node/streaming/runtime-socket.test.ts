import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { connectToRuntime } from './runtime-socket.ts';

test('what a runtime said before it closed is read, though a write failed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = connectToRuntime('127.0.0.1', (server.address() as AddressInfo).port);
  await once(socket, 'connect');
  const [peer] = (await accepted) as [Socket];
  await new Promise<void>((resolve) => peer.write('last words', () => resolve()));
  peer.resetAndDestroy();
  await once(peer, 'close');
  const write = (): Promise<void> => new Promise((resolve) => socket.write('input', () => resolve()));
  await write();
  await write();
  const said: string[] = [];
  socket.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  assert.deepEqual(said, ['last words']);
  server.close();
});
