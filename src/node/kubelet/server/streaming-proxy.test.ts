import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { tunneledProtocols, tunnelSpdy } from './streaming-proxy.ts';
import { offeredProtocols } from './websocket-upgrade.ts';

/** A message of a WebSocket's client (the mask does nothing), and of its server. */
const masked = (text: string): Buffer => Buffer.from([0x82, 0x80 | text.length, 0, 0, 0, 0, ...Buffer.from(text)]);
const plain = (text: string): Buffer => Buffer.from([0x82, text.length, ...Buffer.from(text)]);

describe('SPDY in the messages of a WebSocket', () => {
  const seen: IncomingMessage[] = [];
  const stop = new AbortController();
  /** a runtime that gives back in capitals what it gets, and ends after a dot */
  const runtime = createServer().on('upgrade', (asked: IncomingMessage, socket: Duplex) => {
    seen.push(asked);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n',
    );
    socket.on('data', (data: Buffer) => socket.write(data.toString().toUpperCase(), () => data.includes('.') && socket.end()));
  });
  const kubelet = createServer().on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    const target = new URL(`http://127.0.0.1:${(runtime.address() as AddressInfo).port}/url`);
    void tunnelSpdy({ request: asked, socket, head }, target, tunneledProtocols(offeredProtocols(asked)), stop.signal);
  });
  before(async () => {
    for (const server of [runtime, kubelet]) await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    for (const server of [runtime, kubelet]) server.close();
  });

  it('is tunneled to the runtime, to its end', async () => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-protocol': 'other, SPDY/3.1+portforward.k8s.io',
    };
    const asked = request({ host: '127.0.0.1', port: (kubelet.address() as AddressInfo).port, headers }).end();
    const [answer, socket] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket];
    assert.equal(answer.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
    assert.deepEqual(
      [seen[0]?.method, seen[0]?.headers.upgrade, seen[0]?.headers['x-stream-protocol-version']],
      ['POST', 'SPDY/3.1', 'portforward.k8s.io'],
    );
    for (const text of ['hello', 'good-bye.']) {
      socket.write(masked(text));
      const [said] = (await once(socket, 'data')) as [Buffer];
      assert.deepEqual(said.subarray(0, text.length + 2), plain(text.toUpperCase()));
    }
    socket.destroy();
  });
});
