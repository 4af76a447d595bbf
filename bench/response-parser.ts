/**
 * Takes HTTP/1.1 answers apart as they come in, at the cost of little more than a look at each: a load generator must
 * not need the processor that the server needs. Bodies by Content-Length and in chunks; no trailers, no upgrades.
 */
export interface ResponseHandler {
  head(status: number): void;
  /** A piece of the body, valid only during the call. */
  body(piece: Buffer): void;
  end(): void;
}

const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);

type State = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end';

export class ResponseParser {
  readonly #handler: ResponseHandler;
  #state: State = 'head';
  /** bytes of the body, or of the chunk, that are still to come */
  #left = 0;
  /** the beginning of something that is not complete yet */
  #rest: Buffer = nothing;

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  take(received: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, received]) : received;
    this.#rest = nothing;
    while (data.length > 0) {
      const used = this.#step(data);
      if (used === 0) {
        this.#rest = Buffer.from(data);
        return;
      }
      data = data.subarray(used);
    }
  }

  /** How many bytes it could use; 0: more are needed. */
  #step(data: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#head(data);
      case 'body':
      case 'chunk':
        return this.#piece(data);
      case 'chunk-size':
        return this.#chunkSize(data);
      case 'chunk-end':
        if (data.length < lineEnd.length) return 0;
        this.#state = 'chunk-size';
        return lineEnd.length;
    }
  }

  #head(data: Buffer): number {
    const end = data.indexOf(headEnd);
    if (end < 0) return 0;
    const text = data.toString('latin1', 0, end).toLowerCase();
    const at = text.indexOf('content-length: ');
    this.#handler.head(Number(text.slice(9, 12)));
    if (at >= 0) {
      this.#left = Number.parseInt(text.slice(at + 'content-length: '.length), 10);
      this.#state = 'body';
      if (this.#left === 0) this.#finish();
    } else if (text.includes('transfer-encoding: chunked')) this.#state = 'chunk-size';
    else throw new Error(`an answer of unknown length:\n${text}`);
    return end + headEnd.length;
  }

  #piece(data: Buffer): number {
    const size = Math.min(this.#left, data.length);
    this.#handler.body(data.subarray(0, size));
    this.#left -= size;
    if (this.#left > 0) return size;
    if (this.#state === 'chunk') this.#state = 'chunk-end';
    else this.#finish();
    return size;
  }

  #chunkSize(data: Buffer): number {
    const end = data.indexOf(lineEnd);
    if (end < 0) return 0;
    this.#left = Number.parseInt(data.toString('latin1', 0, end), 16);
    if (this.#left > 0) {
      this.#state = 'chunk';
      return end + lineEnd.length;
    }
    if (data.length < end + 2 * lineEnd.length) return 0;
    this.#finish();
    return end + 2 * lineEnd.length;
  }

  #finish(): void {
    this.#state = 'head';
    this.#handler.end();
  }
}
