import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, createDeflate, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { FrameReader, FrameWriter, type SpdyFrame } from './spdy-frame.ts';
import { HeaderReader, HeaderWriter, type SpdyHeaders, spdyDictionary } from './spdy-header-block.ts';

const headerBlock =
  '7801' /* zlib */ + '001b00e4ff' /* stored */ + '00000001' + '0000000a73747265616d74797065' + '000000056572726f72' + '000000ffff';

const table: readonly { readonly name: string; readonly frame: SpdyFrame; readonly bytes: string }[] = [
  {
    name: 'a stream begins',
    frame: { type: 'synStream', streamId: 1, headers: { streamtype: 'error' }, fin: false },
    bytes: `80030001${'00000031'}000000010000000000${'00'}${headerBlock}`,
  },
  {
    name: 'and is answered',
    frame: { type: 'synReply', streamId: 1, headers: {}, fin: true },
    bytes: '8003000201000014' + '00000001' + '78010004' + '00fbff00000000' + '000000ffff',
  },
  { name: 'a stream is broken off', frame: { type: 'rstStream', streamId: 3, status: 5 }, bytes: '80030003000000080000000300000005' },
  { name: 'a ping', frame: { type: 'ping', id: 7 }, bytes: '800300060000000400000007' },
  { name: 'good-bye', frame: { type: 'goAway', lastStreamId: 9, status: 0 }, bytes: '80030007000000080000000900000000' },
  { name: 'data', frame: { type: 'data', streamId: 5, data: Buffer.from('hi'), fin: false }, bytes: '00000005000000026869' },
  { name: 'the last data', frame: { type: 'data', streamId: 5, data: Buffer.from('hi'), fin: true }, bytes: '00000005010000026869' },
  { name: 'an end without data', frame: { type: 'data', streamId: 5, data: Buffer.alloc(0), fin: true }, bytes: '0000000501000000' },
];

describe('frames of SPDY', () => {
  for (const { name, frame, bytes } of table)
    it(name, () => {
      assert.equal(new FrameWriter().write(frame).toString('hex'), bytes);
      assert.deepEqual([...new FrameReader().read(Buffer.from(bytes, 'hex'))], [frame]);
    });

  for (const [name, bytes] of Object.entries({
    settings: '8003000400000004' + '00000000',
    'a window': '8003000900000008' + '0000000100001000',
    'what is not known': '800300ff00000002' + '0000',
  }))
    it(`reads over ${name}`, () => assert.deepEqual([...new FrameReader().read(Buffer.from(bytes, 'hex'))], []));

  for (const [name, bytes] of Object.entries({
    'another version': '8002000600000004' + '00000007',
    'a control frame beyond all bounds': '8003000600ffffff',
    'half a frame': '8003000300000004' + '00000001',
    'a header beyond its block': '800300020000001c' + '00000001' + '7801000c00f3ff' + '00000001000000ff' + '00000000' + '000000ffff',
  }))
    it(`refuses ${name}`, () => assert.throws(() => [...new FrameReader().read(Buffer.from(bytes, 'hex'))], RangeError));

  it('any frames, in whatever pieces they come', () => {
    const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    const text = fc.string({ maxLength: 40, unit: 'grapheme' });
    const headers: fc.Arbitrary<SpdyHeaders> = fc
      .array(fc.tuple(fc.stringMatching(/^[a-z][a-z-]{0,20}$/), text), { maxLength: 5 })
      .map((pairs) => Object.fromEntries(pairs));
    const frame: fc.Arbitrary<SpdyFrame> = fc
      .oneof(
        fc.record({ type: fc.constantFrom('synStream', 'synReply'), streamId: id, headers, fin: fc.boolean() }),
        fc.record({ type: fc.constant('rstStream'), streamId: id, status: id }),
        fc.record({ type: fc.constant('ping'), id }),
        fc.record({ type: fc.constant('goAway'), lastStreamId: id, status: id }),
        fc.record({
          type: fc.constant('data'),
          streamId: id,
          data: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
          fin: fc.boolean(),
        }),
      )
      .map((one) => ({ ...one }));
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(50)), (frames, cuts) => {
        const writer = new FrameWriter();
        const reader = new FrameReader();
        let rest = Buffer.concat(frames.map((one) => writer.write(one)));
        const got: SpdyFrame[] = [];
        for (const cut of [...cuts, rest.length]) {
          for (const one of reader.read(rest.subarray(0, cut))) {
            const last = got.at(-1);
            // Data comes in pieces; a piece that is not the frame's last has no end.
            if (one.type === 'data' && last?.type === 'data' && last.streamId === one.streamId && pending(got, frames))
              got[got.length - 1] = { ...one, data: Buffer.concat([last.data, one.data]) };
            else got.push(one);
          }
          rest = rest.subarray(cut);
        }
        assert.deepEqual(got, frames);
      }),
    );
  });
});

/** The last of these has not all its data yet. */
function pending(got: readonly SpdyFrame[], frames: readonly SpdyFrame[]): boolean {
  const [last, whole] = [got.at(-1), frames[got.length - 1]];
  return last?.type === 'data' && whole?.type === 'data' && last.data.length < whole.data.length;
}

describe('header blocks of SPDY', () => {
  it('know the dictionary of the protocol', () => {
    assert.equal(deflateSync('', { dictionary: spdyDictionary }).subarray(2, 6).toString('hex'), 'e3c6a7c2');
  });

  it('are read as others compress them, one after the other', async () => {
    const blocks: readonly SpdyHeaders[] = [
      { streamtype: 'error', 'content-length': '0' },
      {},
      { streamtype: 'stdin', 'content-length': '0' },
    ];
    const deflate = createDeflate({ dictionary: spdyDictionary, level: constants.Z_BEST_COMPRESSION });
    const compressed: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => compressed.push(chunk));
    const reader = new HeaderReader();
    for (const headers of blocks) {
      // a writer of its own gives the block as it is before it is compressed, after seven bytes and before five
      deflate.write(new HeaderWriter().write(headers).subarray(7, -5));
      await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
      assert.deepEqual(reader.read(Buffer.concat(compressed.splice(0))), headers);
    }
    deflate.destroy();
  });
});
