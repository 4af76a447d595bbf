/**
 * Bytes that are no HTTP/2 (CVE-2025-59465), window updates of a stream that is none (CVE-2026-21714), floods of frames
 * that cost their sender nothing, handshakes that are no TLS or that break off (CVE-2026-21637): the connection ends,
 * nothing else, and nothing of it stays.
 */
import assert from 'node:assert/strict';
import { connect as connectTCP } from 'node:net';
import { describe, it } from 'node:test';
import { everybody, type Listening, listen } from '../kit/https-server.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const types = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

interface Frame {
  readonly flags?: number;
  readonly stream?: number;
  readonly body?: Buffer;
  /** what the head says of it, when that is a lie */
  readonly length?: number;
}

const nothing: Buffer = Buffer.alloc(0);

function frame(type: number, { flags = 0, stream = 0, body = nothing, length = body.length }: Frame = {}): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** `:method GET`, `:scheme https`, `:path /` by their numbers in the static table */
const get = Buffer.of(0x82, 0x87, 0x84);
const endBoth = 0x5;
const endHeaders = 0x4;
const start = Buffer.concat([preface, frame(types.settings)]);
const many = (piece: (i: number) => Buffer, count = 20_000): Buffer => Buffer.concat(Array.from({ length: count }, (_, i) => piece(i)));

const malformed: Readonly<Record<string, Buffer>> = {
  'no preface': Buffer.from('GET / HTTP/9.9\r\n\r\n'),
  'noise after the preface': Buffer.concat([preface, Buffer.alloc(4096, 0xff)]),
  'a header block that is no HPACK': Buffer.concat([
    start,
    frame(types.headers, { flags: endBoth, stream: 1, body: Buffer.alloc(100, 0xff) }),
  ]),
  'headers on stream 0': Buffer.concat([start, frame(types.headers, { flags: endBoth, body: get })]),
  'headers on an even stream': Buffer.concat([start, frame(types.headers, { flags: endBoth, stream: 2, body: get })]),
  'data of a stream that was never opened': Buffer.concat([start, frame(types.data, { stream: 7, body: Buffer.alloc(10) })]),
  'a continuation of nothing': Buffer.concat([start, frame(types.continuation, { stream: 1, body: get })]),
  'headers that are continued without end': Buffer.concat([
    start,
    frame(types.headers, { stream: 1, body: get }),
    many(() => frame(types.continuation, { stream: 1, body: Buffer.alloc(16) })),
  ]),
  'a push from a client': Buffer.concat([start, frame(types.pushPromise, { flags: endHeaders, stream: 1, body: Buffer.alloc(8) })]),
  'settings of a wrong length': Buffer.concat([preface, frame(types.settings, { body: Buffer.alloc(5) })]),
  'settings out of range': Buffer.concat([preface, frame(types.settings, { body: Buffer.concat([Buffer.of(0, 4), uint32(0xffffffff)]) })]),
  'too many settings in one frame': Buffer.concat([preface, frame(types.settings, { body: Buffer.alloc(6 * 1000, 1) })]),
  'a frame that is longer than any may be': Buffer.concat([start, frame(types.data, { stream: 1, length: 0xffffff })]),
  'a window of stream 0 that overflows': Buffer.concat([start, many(() => frame(types.windowUpdate, { body: uint32(0x7fffffff) }), 10)]),
  'a window of stream 0 that does not grow': Buffer.concat([start, many(() => frame(types.windowUpdate, { body: uint32(0) }), 10)]),
  'streams that are reset at once': Buffer.concat([
    start,
    many((i) =>
      Buffer.concat([
        frame(types.headers, { flags: endBoth, stream: 2 * i + 1, body: get }),
        frame(types.rstStream, { stream: 2 * i + 1, body: uint32(8) }),
      ]),
    ),
  ]),
  'pings without end': Buffer.concat([start, many(() => frame(types.ping, { body: Buffer.alloc(8) }))]),
  'settings without end': Buffer.concat([start, many(() => frame(types.settings))]),
};

/** Resolves when the server has hung up; what it says is read only when `isReading`. */
async function send(listening: Listening, bytes: Buffer): Promise<void> {
  const socket = await listening.raw('h2');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume().write(bytes);
  // A peer that only was rude is told so and left alone: it says good-bye.
  socket.end();
  await closed;
}

describe('malformed HTTP/2', () => {
  for (const [name, bytes] of Object.entries(malformed)) {
    it(name, async () => {
      await using listening = await listen(everybody);
      await send(listening, bytes);
      assert.equal((await listening.ask('/api/v1/nodes')).code, 200);
    });
  }

  it('leaves nothing behind', async () => {
    await using listening = await listen(everybody);
    const round = async (): Promise<void> => {
      for (const bytes of Object.values(malformed)) if (bytes.length < 10_000) await send(listening, bytes);
    };
    for (let i = 0; i < 5; i++) await round();
    const before = process.memoryUsage();
    for (let i = 0; i < 20; i++) await round();
    const { rss, external } = process.memoryUsage();
    assert.ok(external - before.external < 20_000_000 && rss - before.rss < 100_000_000, `${rss - before.rss} bytes more`);
  });
});

describe('what is no TLS', () => {
  const hello = Buffer.from('16030100050100000100', 'hex');
  for (const [name, bytes] of Object.entries({
    'plain HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'a broken hello': hello,
    nothing: Buffer.alloc(0),
  })) {
    it(name, async () => {
      await using listening = await listen(everybody);
      const socket = connectTCP({ host: '127.0.0.1', port: listening.port });
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.on('error', () => undefined).resume();
      socket.end(bytes);
      await closed;
      assert.equal((await listening.ask('/api/v1/nodes')).code, 200);
    });
  }
});
