/**
 * The frames of SPDY/3.1 that Kubernetes' streams are made of, to and from bytes. A reader gives a long data frame in
 * pieces as they come, so nothing is held back but the begin of a frame; what its peers never use (settings, windows) is
 * read over. Specified in draft-mbelshe-httpbis-spdy-00, 2.2 and 2.6; as spoken by github.com/moby/spdystream.
 */
import { HeaderReader, HeaderWriter, type SpdyHeaders } from './spdy-header-block.ts';

export type SpdyFrame =
  | { readonly type: 'synStream' | 'synReply'; readonly streamId: number; readonly headers: SpdyHeaders; readonly fin: boolean }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'data'; readonly streamId: number; readonly data: Buffer; readonly fin: boolean };

const controlTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const;
const version3 = 0x8003;
const finFlag = 1;
const headBytes = 8;
const controlBytesMax = 64 * 1024;
/** a frame's length has 24 bits */
const dataBytesMax = 2 ** 24 - 1;
const idMask = 0x7fffffff;
const nothing = Buffer.alloc(0);

/** Turns frames into bytes; the headers of a connection have to pass through one writer, in order. */
export class FrameWriter {
  readonly #headers = new HeaderWriter();

  write(frame: SpdyFrame): Buffer {
    switch (frame.type) {
      case 'data': {
        const head = dataHead(frame.streamId, frame.data.length, frame.fin);
        return Buffer.concat([head, frame.data]);
      }
      case 'synStream':
        return control(controlTypes.synStream, frame.fin, [frame.streamId, 0], Buffer.alloc(2), this.#headers.write(frame.headers));
      case 'synReply':
        return control(controlTypes.synReply, frame.fin, [frame.streamId], this.#headers.write(frame.headers));
      case 'rstStream':
        return control(controlTypes.rstStream, false, [frame.streamId, frame.status]);
      case 'ping':
        return control(controlTypes.ping, false, [frame.id]);
      case 'goAway':
        return control(controlTypes.goAway, false, [frame.lastStreamId, frame.status]);
      default:
        return frame satisfies never;
    }
  }
}

/** What comes before the bytes of a data frame. */
export function dataHead(streamId: number, length: number, fin: boolean): Buffer {
  if (length > dataBytesMax) throw new RangeError(`a data frame has at most ${dataBytesMax} bytes`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt32BE(length, 4);
  head[4] = fin ? finFlag : 0;
  return head;
}

function control(type: number, fin: boolean, words: readonly number[], ...rest: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(headBytes + 4 * words.length);
  head.writeUInt16BE(version3, 0);
  head.writeUInt16BE(type, 2);
  for (const [i, word] of words.entries()) head.writeUInt32BE(word, headBytes + 4 * i);
  const frame = Buffer.concat([head, ...rest]);
  frame.writeUInt32BE(frame.length - headBytes, 4);
  frame[4] = fin ? finFlag : 0;
  return frame;
}

/** Turns the bytes of a connection, in whatever pieces they come, into frames. Throws for what is no SPDY/3. */
export class FrameReader {
  readonly #headers = new HeaderReader();
  /** the begin of a frame of which the rest has not come yet */
  #begin: Buffer = nothing;
  /** the data frame whose bytes come */
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  *read(chunk: Buffer): Generator<SpdyFrame> {
    let rest = this.#begin.length === 0 ? chunk : Buffer.concat([this.#begin, chunk]);
    for (;;) {
      if (this.#data) {
        const { streamId } = this.#data;
        const data = rest.subarray(0, this.#data.left);
        this.#data.left -= data.length;
        rest = rest.subarray(data.length);
        const fin = this.#data.left === 0 && this.#data.fin;
        if (this.#data.left === 0) this.#data = undefined;
        if (data.length > 0 || fin) yield { type: 'data', streamId, data, fin };
        if (this.#data) break;
      }
      if (rest.length < headBytes) break;
      const word = rest.readUInt32BE(0);
      const fin = ((rest[4] ?? 0) & finFlag) !== 0;
      const length = rest.readUIntBE(5, 3);
      if (word <= idMask) {
        this.#data = { streamId: word, fin, left: length };
        rest = rest.subarray(headBytes);
        continue;
      }
      if (word >>> 16 !== version3) throw new RangeError('this is not SPDY/3');
      if (length > controlBytesMax) throw new RangeError(`a control frame of ${length} bytes`);
      if (rest.length < headBytes + length) break;
      const frame = this.#control(word & 0xffff, fin, rest.subarray(headBytes, headBytes + length));
      rest = rest.subarray(headBytes + length);
      if (frame) yield frame;
    }
    // A copy, so that a few bytes do not keep the chunk.
    this.#begin = rest.length === 0 ? nothing : Buffer.from(rest);
  }

  #control(type: number, fin: boolean, body: Buffer): SpdyFrame | undefined {
    const word = (at: number): number => body.readUInt32BE(at);
    switch (type) {
      case controlTypes.synStream:
        return { type: 'synStream', streamId: word(0) & idMask, headers: this.#headers.read(body.subarray(10)), fin };
      case controlTypes.synReply:
        return { type: 'synReply', streamId: word(0) & idMask, headers: this.#headers.read(body.subarray(4)), fin };
      case controlTypes.headers:
        this.#headers.read(body.subarray(4)); // nobody asks for them, but the blocks after them build on them
        return undefined;
      case controlTypes.rstStream:
        return { type: 'rstStream', streamId: word(0) & idMask, status: word(4) };
      case controlTypes.ping:
        return { type: 'ping', id: word(0) };
      case controlTypes.goAway:
        return { type: 'goAway', lastStreamId: word(0) & idMask, status: body.length < 8 ? 0 : word(4) };
      default:
        return undefined;
    }
  }
}
