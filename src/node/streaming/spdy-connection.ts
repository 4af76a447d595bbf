/**
 * One SPDY/3.1 connection, from either end: streams over one socket, as Kubernetes' exec, attach and port-forward use
 * them. Like its peers (github.com/moby/spdystream) it knows no windows: a stream that is not read stops the whole
 * connection, so that no more is buffered than its high-water mark and what came with it. What is written is taken when
 * the socket took it.
 *
 * When the connection ends, however it does, every stream ends for its reader, and what is still written is dropped.
 */
import { Duplex } from 'node:stream';
import { dataHead, FrameReader, FrameWriter, type SpdyFrame } from './spdy-frame.ts';
import type { SpdyHeaders } from './spdy-header-block.ts';

export interface SpdyOptions {
  /** what came with the head of the HTTP message */
  readonly head?: Buffer;
  /** The peer may open streams, and this is told of each; absent: it may not. */
  readonly onStream?: (stream: SpdyStream) => void;
}

const streamsMax = 64;
const frameDataBytesMax = 1024 * 1024;
/** Answers that the peer has not taken: who asks for more and does not read is cut off. */
const untakenAnswersMax = 1000;
const cancelStatus = 5;
const refusedStatus = 3;

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #connection: SpdyConnection;
  #ended = false;

  constructor(connection: SpdyConnection, id: number, headers: SpdyHeaders) {
    super();
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  /** Data of the peer; false when there is no room for more. */
  receive(data: Buffer): boolean {
    return this.#ended || this.destroyed || this.push(data);
  }

  /** The peer says no more. */
  receiveEnd(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }

  override _read(): void {
    this.#connection.hasRoom(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#connection.sendData(this.id, chunk, done);
  }

  override _final(done: () => void): void {
    this.#connection.sendFrame({ type: 'data', streamId: this.id, data: Buffer.alloc(0), fin: true }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.forget(this, this.#ended);
    done(error);
  }
}

export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #onStream: SpdyOptions['onStream'];
  readonly #writer = new FrameWriter();
  readonly #reader = new FrameReader();
  readonly #streams = new Map<number, SpdyStream>();
  /** Ours are odd: only clients open any. */
  #nextId = 1;
  #lastPeerId = 0;
  #untakenAnswers = 0;
  /** streams that have no room */
  readonly #full = new Set<SpdyStream>();
  readonly #over = Promise.withResolvers<void>();
  readonly ended = this.#over.promise;

  constructor(socket: Duplex, { head, onStream }: SpdyOptions = {}) {
    this.#socket = socket;
    this.#onStream = onStream;
    if (head?.length) socket.unshift(head);
    const end = (): void => this.#end();
    // Data is taken as it comes, so that what arrived before an error is not lost with the socket.
    socket
      .on('data', (chunk: Buffer) => this.#receive(chunk))
      .on('error', end)
      .on('end', end)
      .on('close', end);
  }

  open(headers: SpdyHeaders): SpdyStream {
    const streamId = this.#nextId;
    this.#nextId += 2;
    this.sendFrame({ type: 'synStream', streamId, headers, fin: false });
    return this.#add(streamId, headers);
  }

  /** Says good-bye after what was written. */
  async close(): Promise<void> {
    this.sendFrame({ type: 'goAway', lastStreamId: this.#lastPeerId, status: 0 });
    this.#socket.end();
    await this.ended;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sendFrame(frame: SpdyFrame, done: () => void = () => undefined): void {
    // A write that fails is no error of the stream: the connection ends, and says so.
    if (this.#socket.writable) this.#socket.write(this.#writer.write(frame), () => done());
    else done();
  }

  /** The bytes themselves are not copied. */
  sendData(streamId: number, data: Buffer, done: () => void): void {
    if (data.length === 0 || !this.#socket.writable || !this.#streams.has(streamId)) {
      done();
      return;
    }
    this.#socket.cork();
    for (let at = 0; at < data.length; at += frameDataBytesMax) {
      const part = data.subarray(at, at + frameDataBytesMax);
      this.#socket.write(dataHead(streamId, part.length, false));
      this.#socket.write(part, () => {
        if (at + part.length === data.length) done();
      });
    }
    this.#socket.uncork();
  }

  hasRoom(stream: SpdyStream): void {
    if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
  }

  /** Nothing is said to a peer that has ended the stream: a write that crosses its good-bye costs what it said last. */
  forget(stream: SpdyStream, isEnded: boolean): void {
    this.hasRoom(stream);
    const { id } = stream;
    if (this.#streams.delete(id) && !isEnded) this.sendFrame({ type: 'rstStream', streamId: id, status: cancelStatus });
  }

  #add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    return stream;
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) this.#take(frame);
    } catch {
      this.#end(); // no SPDY
    }
  }

  #end(): void {
    this.#socket.destroy();
    for (const stream of this.#streams.values()) stream.receiveEnd();
    this.#streams.clear();
    this.#over.resolve();
  }

  #take(frame: SpdyFrame): void {
    switch (frame.type) {
      case 'synStream':
        this.#accept(frame);
        return;
      case 'data': {
        const stream = this.#streams.get(frame.streamId);
        if (stream?.receive(frame.data) === false) {
          this.#full.add(stream);
          this.#socket.pause();
        }
        if (frame.fin) stream?.receiveEnd();
        return;
      }
      case 'rstStream':
        this.#streams.get(frame.streamId)?.receiveEnd();
        this.#streams.delete(frame.streamId);
        return;
      case 'ping':
        this.#answer(frame);
        return;
      case 'goAway':
        this.#end();
        return;
      case 'synReply':
        return;
      default:
        frame satisfies never;
    }
  }

  /** What costs the peer nothing to ask for. */
  #answer(frame: SpdyFrame): void {
    if (++this.#untakenAnswers > untakenAnswersMax) {
      this.#end();
      return;
    }
    this.sendFrame(frame, () => this.#untakenAnswers--);
  }

  #accept({ streamId, headers, fin }: Extract<SpdyFrame, { headers: SpdyHeaders }>): void {
    if (!this.#onStream || streamId <= this.#lastPeerId || this.#streams.size >= streamsMax) {
      this.#answer({ type: 'rstStream', streamId, status: refusedStatus });
      return;
    }
    this.#lastPeerId = streamId;
    const stream = this.#add(streamId, headers);
    this.sendFrame({ type: 'synReply', streamId, headers: {}, fin: false });
    if (fin) stream.receiveEnd();
    this.#onStream(stream);
  }
}
