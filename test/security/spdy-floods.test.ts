/**
 * SPDY as kubelets speak it with clients and the runtime: frames, headers and answers that a peer may ask for without end
 * (CVE-2026-35469). What a connection holds is bounded, or it ends.
 */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { constants, deflateSync } from 'node:zlib';
import { SpdyConnection, type SpdyStream } from '../../src/node/streaming/spdy-connection.ts';
import { spdyDictionary } from '../../src/node/streaming/spdy-header-block.ts';

/** The peer's end of a connection: takes what is written to it only when told so. */
class Peer extends Duplex {
  untaken = 0;
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, _done: () => void): void {
    this.untaken += chunk.length; // and never says that it is done
  }
}

const settingsType = 4;
const pingType = 6;
const synStreamType = 1;
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function control(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** A block that says it has `count` headers, and has `pairs`. */
function synStream(id: number, count: number, pairs: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(value)]);
  const block = Buffer.concat([uint32(count), ...pairs.flatMap(([name, value]) => [text(name), text(value)])]);
  const packed = deflateSync(block, { dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  return control(synStreamType, Buffer.concat([uint32(id), uint32(0), Buffer.alloc(2), packed]));
}

function receive(frames: Iterable<Buffer>): { readonly peer: Peer; readonly streams: SpdyStream[]; readonly connection: SpdyConnection } {
  const peer = new Peer();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(peer, { onStream: (stream) => streams.push(stream) });
  for (const frame of frames) peer.emit('data', frame);
  return { peer, streams, connection };
}

function* repeat(frame: Buffer, count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield frame;
}

const pairs = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`h${i}`, 'v']);

describe('a SPDY connection', () => {
  it('reads over settings, however many', () => {
    const before = process.memoryUsage().heapUsed;
    const { peer } = receive(repeat(control(settingsType, Buffer.concat([uint32(0xffffffff), Buffer.alloc(8000)])), 20_000));
    assert.deepEqual([peer.destroyed, peer.untaken], [false, 0]);
    assert.ok(process.memoryUsage().heapUsed - before < 50_000_000);
  });

  const rows = [
    { name: 'whose pings are answered and never taken', frames: () => repeat(control(pingType, uint32(1)), 5000) },
    {
      name: 'whose streams are refused without end',
      frames: () => [synStream(1, 1, pairs(1)), ...repeat(control(pingType, uint32(1)), 2000)],
    },
    { name: 'with a frame that is too large', frames: () => [control(settingsType, Buffer.alloc(70_000))] },
    { name: 'with more headers than there are', frames: () => [synStream(1, 0xffffffff, pairs(1))] },
    { name: 'with too many headers', frames: () => [synStream(1, 5000, pairs(5000))] },
    { name: 'with headers that unpack to much', frames: () => [synStream(1, 1, [['bomb', 'x'.repeat(10_000_000)]])] },
    { name: 'with a header longer than its block', frames: () => [synStream(1, 3, pairs(1))] },
    { name: 'with a frame too short for what it is', frames: () => [control(pingType, Buffer.alloc(1))] },
    { name: 'that is no SPDY', frames: () => [Buffer.alloc(100, 0xff)] },
  ];
  for (const { name, frames } of rows) {
    it(`${name} ends`, async () => {
      const { peer, connection } = receive(frames());
      await connection.ended;
      assert.equal(peer.destroyed, true);
    });
  }

  it('takes an ordinary stream', () => {
    const { streams } = receive([
      synStream(1, 2, [
        ['streamtype', 'stdin'],
        ['port', '80'],
      ]),
    ]);
    assert.deepEqual(
      streams.map(({ headers }) => headers),
      [{ streamtype: 'stdin', port: '80' }],
    );
  });
});
