import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Duplex, duplexPair, finished } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { SpdyConnection, type SpdyStream } from './spdy-connection.ts';
import { FrameReader, FrameWriter } from './spdy-frame.ts';

/** A client, and the streams that it opened at the server. */
function connected(): { client: SpdyConnection; server: SpdyConnection; accepted: SpdyStream[] } {
  const [a, b] = duplexPair();
  const accepted: SpdyStream[] = [];
  const server = new SpdyConnection(b, { onStream: (stream) => accepted.push(stream) });
  return { client: new SpdyConnection(a), server, accepted };
}

/** Everything that is due has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The frames that a peer without a library gets. */
async function framesTo(peer: Duplex, send: Buffer): Promise<string[]> {
  const got: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => got.push(chunk));
  peer.write(send);
  for (let i = 0; i < 10; i++) await settled();
  return [...new FrameReader().read(Buffer.concat(got))].map(({ type }) => type);
}

describe('a SPDY connection', () => {
  it('carries streams both ways, each to its own end', async () => {
    const { client, accepted } = connected();
    const [one, two] = [client.open({ streamtype: 'stdin' }), client.open({ streamtype: 'error' })];
    one.end('to the server');
    await settled();
    const [first, second] = accepted;
    assert.deepEqual(
      accepted.map(({ id, headers }) => [id, headers['streamtype']]),
      [
        [1, 'stdin'],
        [3, 'error'],
      ],
    );
    assert.ok(first && second);
    first.end();
    assert.equal(await text(first), 'to the server');
    second.end('to the client');
    assert.equal(await text(two), 'to the client');
    one.resume();
    await once(one, 'close');
    client.destroy();
  });

  it('splits what is longer than a frame, and keeps it whole', async () => {
    const { client, accepted } = connected();
    const sent = randomBytes(3 * 1024 * 1024 + 1);
    client.open({}).end(sent);
    await settled();
    assert.ok(accepted[0] && (await buffer(accepted[0])).equals(sent));
    client.destroy();
  });

  it('takes no more than is read', async () => {
    const { client, accepted } = connected();
    const stream = client.open({});
    const chunk = Buffer.alloc(64 * 1024);
    let taken = 0;
    const write = (): void => void stream.write(chunk, () => ++taken < 1000 && write());
    write();
    await settled();
    await settled();
    const stalledAt = taken;
    assert.ok(stalledAt < 20, `${stalledAt} chunks`);
    for (let i = 0; i < 10; i++) await settled();
    assert.equal(taken, stalledAt);
    accepted[0]?.resume();
    while (taken < 1000) await settled();
    client.destroy();
  });

  it('ends its streams when the other side says good-bye, or goes', async () => {
    for (const leave of ['close', 'destroy'] as const) {
      const { client, server, accepted } = connected();
      const stream = client.open({});
      await settled();
      accepted[0]?.write('last words');
      await settled();
      void server[leave]();
      assert.equal(await text(stream), 'last words');
      await client.ended;
      // What is written now is dropped.
      await new Promise<void>((resolve) => stream.end('anyone?', () => resolve()));
    }
  });

  it('ends a stream that the other side breaks off', async () => {
    const { client, accepted } = connected();
    const stream = client.open({});
    await settled();
    accepted[0]?.destroy();
    assert.equal(await text(stream), '');
    client.destroy();
  });

  it('forgets streams that are over', async () => {
    const { client, accepted } = connected();
    for (let i = 0; i < 200; i++) {
      const stream = client.open({});
      stream.resume().end();
      await settled();
      const closed = new Promise((resolve) => finished(stream, resolve));
      accepted.pop()?.resume().end();
      await closed;
    }
    client.destroy();
  });

  it('answers pings, and refuses streams that it does not want', async () => {
    const [peer, socket] = duplexPair();
    new SpdyConnection(socket);
    const writer = new FrameWriter();
    const send = Buffer.concat([
      writer.write({ type: 'ping', id: 2 }),
      writer.write({ type: 'synStream', streamId: 2, headers: {}, fin: false }),
      writer.write({ type: 'data', streamId: 2, data: Buffer.from('unheard'), fin: true }),
    ]);
    assert.deepEqual(await framesTo(peer, send), ['ping', 'rstStream']);
  });

  it('bounds how many streams there are', async () => {
    const [peer, socket] = duplexPair();
    new SpdyConnection(socket, { onStream: () => undefined });
    const writer = new FrameWriter();
    const ids = Array.from({ length: 70 }, (_, i) => 2 * i + 1);
    const send = Buffer.concat(ids.map((streamId) => writer.write({ type: 'synStream', streamId, headers: {}, fin: false })));
    const answers = await framesTo(peer, send);
    assert.equal(answers.filter((type) => type === 'synReply').length, 64);
    assert.equal(answers.filter((type) => type === 'rstStream').length, 6);
  });

  it('ends where no SPDY is spoken', async () => {
    const [peer, socket] = duplexPair();
    const connection = new SpdyConnection(socket);
    const stream = connection.open({});
    peer.write('HTTP/1.1 200 OK\r\n\r\n\xff'.repeat(10));
    peer.write(Buffer.from('ffffffffffffffff', 'hex'));
    peer.resume().end();
    assert.equal(await text(stream), '');
    await connection.ended;
  });
});
