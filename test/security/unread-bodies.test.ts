/**
 * Slow, endless and announced bodies: who is refused is answered before his body is read, and his connection ends soon,
 * whatever he goes on to send. Nobody's connection outlives the time limits of its request.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { VirtualClock } from '../../src/client/virtual-clock.ts';
import type { ServerParts } from '../../src/control-plane/api-server/api-server.ts';
import { everybody, type Listening, listen } from '../kit/https-server.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const nobody: ServerParts = { authenticators: [] };
const powerless: ServerParts = { ...everybody, authorize: () => ({ verdict: 'no-opinion', reason: '' }) };
const chunk = Buffer.from(`8000\r\n${'x'.repeat(0x8000)}\r\n`);
/** More than the server would take from anybody, and than buffers on the way hold. */
const sentBytesMax = 64 * 1024 * 1024;

/** Sends chunks for as long as somebody takes them. */
async function sendEndlessly(socket: TLSSocket): Promise<number> {
  let sent = 0;
  while (!socket.destroyed && sent < sentBytesMax) {
    sent += chunk.length;
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

describe('a body that never ends', () => {
  const rows = [
    { name: 'of nobody', parts: nobody, status: 401 },
    { name: 'of who has no rights', parts: powerless, status: 403 },
    { name: 'for a path that is no resource', parts: everybody, path: '/nowhere', status: 404 },
    { name: 'that is too large', parts: everybody, status: 413 },
  ];
  for (const { name, parts, path = configMaps, status } of rows) {
    it(`${name} is answered over HTTP/1.1, and its connection closed`, async () => {
      await using listening = await listen(parts);
      const socket = await listening.raw();
      const head = ['Host: a', 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
      socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
      let answer = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        answer += text;
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      assert.ok((await sendEndlessly(socket)) < sentBytesMax);
      await closed;
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(answer, /^connection: close\r$/im);
    });

    it(`${name} is answered over HTTP/2, and its stream reset`, async () => {
      await using listening = await listen(parts);
      const stream = listening.http2().request({ ':path': path, ':method': 'POST', 'content-type': 'application/json' });
      stream.on('error', () => undefined);
      const piece = Buffer.alloc(0x8000, 'x');
      let sent = 0;
      const send = (): void => {
        while (!stream.destroyed && !stream.closed && sent < sentBytesMax) {
          sent += piece.length;
          if (!stream.write(piece)) break;
        }
      };
      stream.on('drain', send);
      send();
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
      stream.resume();
      if (!stream.closed) await once(stream, 'close');
      assert.equal(headers[':status'], status);
      assert.ok(sent < sentBytesMax);
      assert.equal(stream.rstCode, constants.NGHTTP2_NO_ERROR);
    });
  }
});

describe('a body that does not come', () => {
  const head = `POST ${configMaps} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
  it('of nobody is not waited for', async () => {
    await using listening = await listen(nobody);
    assert.match(await untilClosed(listening, head), /^HTTP\/1.1 401 /);
  });

  it('of somebody is waited for as long as his request may take', async () => {
    const clock = new VirtualClock();
    await using listening = await listen(everybody, clock);
    const answer = untilClosed(listening, head);
    await clock.advance(61_000);
    assert.match(await answer, /^HTTP\/1.1 504 /);
  });
});

async function untilClosed(listening: Listening, text: string): Promise<string> {
  const socket = await listening.raw();
  socket.write(text);
  let answer = '';
  for await (const piece of socket.setEncoding('latin1')) answer += piece;
  return answer;
}
