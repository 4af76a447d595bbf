/** The answer to a client, over HTTP/1.1 or HTTP/2: the same calls for both. Heads are flat, as in upstream.ts. */
import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../client/clock.ts';
import { gathered } from './http2-upstream.ts';

export interface ClientAnswer {
  readonly isStarted: boolean;
  /** it can't be written to any more */
  readonly isGone: boolean;
  head(status: number, headers: readonly string[], isWhole: boolean): void;
  /** False: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(resume: () => void): void;
  end(trailers: readonly string[]): void;
  /** A short text of this proxy's own, and the end: soon of the connection too, where a body is left unread. */
  say(status: number, text: string, more?: readonly string[]): void;
  /** It can't be brought to its end: the client has to see that. */
  abort(): void;
  onClose(closed: () => void): void;
}

export const answerTo = (response: ServerResponse | Http2ServerResponse, clock: Clock): ClientAnswer =>
  'stream' in response ? new HTTP2Answer(response.stream) : new HTTP1Answer(response, clock);

/** How long a client may go on with a body that nobody wants: closed at once, it may never see why. */
const lingerMs = 1000;

const textHeaders = (text: string): string[] => [
  'content-type',
  'text/plain; charset=utf-8',
  'content-length',
  String(Buffer.byteLength(text)),
];

class HTTP1Answer implements ClientAnswer {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  #isWritten = false;

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    response.on('error', () => undefined); // of one that has gone: told by `close`
  }
  get isStarted(): boolean {
    return this.#response.headersSent;
  }
  get isGone(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }
  head(status: number, headers: readonly string[]): void {
    this.#response.writeHead(status, headers as string[]);
    process.nextTick(() => {
      if (!this.#isWritten && !this.isGone) this.#response.flushHeaders(); // else it goes with the first piece of the body
    });
  }
  write(chunk: Buffer): boolean {
    this.#isWritten = true;
    return this.#response.write(chunk);
  }
  onDrain(resume: () => void): void {
    this.#response.once('drain', resume);
  }
  end(trailers: readonly string[]): void {
    if (trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    this.#response.end();
  }
  say(status: number, text: string, more: readonly string[] = []): void {
    const { req } = this.#response;
    this.#response.writeHead(status, [...textHeaders(text), ...more]).end(text);
    if (req.complete) return;
    req.resume();
    this.#clock.setTimeout(() => !req.complete && req.destroy(), lingerMs);
  }
  abort(): void {
    this.#response.destroy();
  }
  onClose(closed: () => void): void {
    this.#response.once('close', closed);
  }
}

const pairs = (flat: readonly string[]): [string, string][] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);

class HTTP2Answer implements ClientAnswer {
  readonly #stream: ServerHttp2Stream;
  #trailers: readonly string[] = [];

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }
  get isStarted(): boolean {
    return this.#stream.headersSent;
  }
  get isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed || this.#stream.writableEnded;
  }
  head(status: number, headers: readonly string[], isWhole: boolean): void {
    const fields = { ...gathered(headers), ':status': status };
    // in place of the library's own, whose failure would be nobody's
    this.#stream.removeAllListeners('wantTrailers').once('wantTrailers', () => this.#sendTrailers());
    this.#stream.respond(fields, { endStream: isWhole, waitForTrailers: !isWhole });
  }
  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk);
  }
  onDrain(resume: () => void): void {
    this.#stream.once('drain', resume);
  }
  end(trailers: readonly string[]): void {
    this.#trailers = trailers;
    this.#stream.end();
  }
  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(gathered(this.#trailers));
    } catch {
      this.abort(); // they can't be said
    }
  }
  say(status: number, text: string, more: readonly string[] = []): void {
    if (this.isGone) return;
    this.#stream.respond({ ...gathered([...textHeaders(text), ...more]), ':status': status });
    this.#stream.end(text, () => this.#stream.close()); // what is left of a body is not wanted
  }
  abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
  onClose(closed: () => void): void {
    this.#stream.once('close', closed);
  }
}
