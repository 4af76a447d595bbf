/**
 * One HTTP request and its answer, over HTTP/1.1 or HTTP/2 alike: the URL taken apart, the body read within limits, the
 * headers that every answer has, and an abort signal for when the client is gone or the time is over.
 *
 * Whatever text becomes a header here is printable ASCII (header-text.ts). A body that is not read to its end costs its
 * sender the connection (HTTP/1.1) or the stream (HTTP/2).
 */

import { constants } from 'node:http2';
import { isIP } from 'node:net';
import { errors, type StatusError } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import { realClock } from '../../../client/clock.ts';
import { detach } from '../../../client/detached.ts';
import { whyHeader } from '../../../client/events/acts.ts';
import { IncomingMessage } from '../../../client/transport/node-http.ts';
import type { HTTPRequest, HTTPResponse, RequestSource } from '../request/api-request.ts';
import { largeBytes, yieldTurn } from '../request/yield-turn.ts';
import { encodeValue } from './encode-value.ts';
import { headerText, warningHeaders } from './header-text.ts';
import { formOfError, type Negotiated } from './negotiation.ts';

type Headers = Readonly<Record<string, string | number | string[]>>;

export const bodyBytesMax = 3 * 1024 * 1024;
/** More than anybody has a use for. */
export const parametersMax = 10_000;
/** A smaller answer costs little while its client does not take it. */
const largeAnswerMin = 128 * 1024;
/** Half of what a socket takes before it asks to wait. */
const heldBackMin = 32 * 1024;
/** How long a stream stays open whose body nobody reads, once it is answered; no more of it comes than fits into its window. */
const unreadBodyMsMax = 500;
/** Warnings kept of one request. Their characters are limited in header-text.ts. */
const warningsMax = 4096;

export class Exchange implements RequestSource {
  readonly request: HTTPRequest;
  readonly response: HTTPResponse;
  readonly method: string;
  /** still percent-encoded */
  readonly path: string;
  readonly query: URLSearchParams | undefined;
  /** none of them is read */
  readonly hasTooManyParameters: boolean;
  readonly auditID: string;
  readonly startMs: number;
  /** made when somebody asks for the signal */
  #abort: AbortController | undefined;
  #isOver = false;
  #warnings: string[] | undefined;
  /** set when the head of the answer is written */
  code = 0;
  /** bytes of the answer's body */
  size = 0;
  /** called with the code of an answer that somebody else writes */
  onBegin: ((code: number) => void) | undefined;
  /** bytes of the request's body, once it is read */
  bodySize = 0;

  constructor(request: HTTPRequest, response: HTTPResponse, given: { readonly auditID: string; readonly startMs: number }) {
    this.request = request;
    this.response = response;
    this.method = request.method ?? 'GET';
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? undefined : url.slice(mark + 1);
    this.hasTooManyParameters = query !== undefined && hasMoreParameters(query, parametersMax);
    this.query = query === undefined || this.hasTooManyParameters ? undefined : new URLSearchParams(query);
    this.auditID = headerText(given.auditID);
    this.startMs = given.startMs;
    response.once('close', () => {
      if (!response.writableEnded) this.abort();
    });
    // Both tell of a client that is gone by `close` too; an error without a listener would be the process's.
    response.on('error', ignore);
    request.on('error', ignore);
  }

  /** Aborts when the client is gone, or the server gives the request up. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isOver) this.#abort.abort(givenUp);
    return this.#abort.signal;
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  abort(): void {
    this.#isOver = true;
    this.#abort?.abort(givenUp);
  }

  header(name: string): string | undefined {
    const value = own(this.request.headers, name);
    return typeof value === 'string' ? value : value?.[0];
  }

  get userAgent(): string | undefined {
    return this.header('user-agent');
  }
  /** Who says he forwards for whom, and who is at the other end. As upstream, it believes what it is told. */
  get sourceIPs(): readonly string[] {
    const { remoteAddress } = this.request.socket;
    const forwarded = (this.header('x-forwarded-for') ?? '').split(',').map((each) => each.trim());
    const real = this.header('x-real-ip') ?? '';
    const all = [...forwarded, real].filter((each) => isIP(each) !== 0);
    if (remoteAddress !== undefined) all.push(remoteAddress);
    return [...new Set(all)];
  }
  /** the audit ID */
  get id(): string {
    return this.auditID;
  }
  why(): string | undefined {
    return this.header(whyHeader);
  }

  /** What the client says of the form of its answer. */
  get wishes(): Negotiated {
    return { accept: this.header('accept'), userAgent: this.userAgent, pretty: this.query?.get('pretty') };
  }

  warn(message: string): void {
    this.#warnings ??= [];
    if (this.#warnings.length < warningsMax) this.#warnings.push(message);
  }

  /** How many bytes the body may have, by what its head says. */
  get announcedBytes(): number {
    const length = this.header('content-length');
    if (length !== undefined) return Math.min(Number(length), bodyBytesMax);
    const { request } = this;
    const hasBody = request instanceof IncomingMessage ? this.header('transfer-encoding') !== undefined : !request.stream.endAfterHeaders;
    return hasBody ? bodyBytesMax : 0;
  }

  /** The text of the body. Throws RequestEntityTooLarge; rejects when the client is gone. */
  async readText(): Promise<string> {
    return (await this.readBytes()).toString();
  }

  /** The body as it came. Throws and rejects as `readText` does. */
  async readBytes(): Promise<Buffer> {
    const announced = Number(this.header('content-length') ?? 0);
    if (announced > bodyBytesMax) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    const { request } = this;
    if (request.destroyed && !request.readableEnded) throw givenUp;
    await new Promise<void>((resolve, reject) => {
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > bodyBytesMax) {
          request.removeAllListeners('data');
          reject(tooLarge());
        } else chunks.push(chunk);
      });
      request.once('end', resolve);
      request.once('error', reject);
      request.once('close', () => reject(givenUp));
    });
    this.bodySize = size;
    if (size > largeBytes) await yieldTurn();
    const [only] = chunks;
    return chunks.length === 1 && only ? only : Buffer.concat(chunks);
  }

  /** The head of an answer; without content type for one that has no body (304), whose reader keeps the type that it knows. */
  writeHead(code: number, contentType: string | undefined, more?: Headers): void {
    if (this.#isBodyLeft()) this.#giveUpBody();
    const headers: Headers = {
      'audit-id': this.auditID,
      'cache-control': 'no-cache, private',
      ...(contentType !== undefined && { 'content-type': contentType }),
      ...more,
      ...(this.#warnings && { warning: warningHeaders(this.#warnings) }),
    };
    this.response.writeHead(code, headers);
    this.code = code;
  }

  #isBodyLeft(): boolean {
    const { request } = this;
    if (!(request instanceof IncomingMessage)) return !request.stream.endAfterHeaders && !request.complete;
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
    return !request.complete && (coding !== undefined || Number(length) > 0);
  }

  /** The client is answered before it has sent all: what is left is not waited for. */
  #giveUpBody(): void {
    const { request, response } = this;
    response.shouldKeepAlive = false;
    if (request instanceof IncomingMessage) return;
    const { stream } = request;
    stream.pause(); // its window fills up, and no more comes
    stream.once('finish', () => {
      // At once, the reset would overtake the end of the answer, which some clients (Go's) then take for lost.
      const timer = realClock.setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), unreadBodyMsMax);
      stream.once('close', () => timer.cancel());
    });
  }

  /** The whole answer at once; nothing when one has been given already (the time was over). */
  send(code: number, contentType: string, body: Uint8Array | string, more?: Headers): void {
    if (this.code !== 0) return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.size = bytes.byteLength;
    this.writeHead(code, contentType, { 'content-length': bytes.byteLength, ...more });
    if (this.method === 'HEAD') this.response.end();
    else if (bytes.byteLength < heldBackMin || !(this.request instanceof IncomingMessage)) this.response.end(bytes);
    else this.#endWhenTaken(bytes);
  }

  /**
   * On HTTP/1.1 the last byte of a large answer waits until the socket has taken the others: whoever has it may send his
   * next request at once, and Node's parser refuses one that comes before its own socket has told it so (HPE_PAUSED).
   */
  #endWhenTaken(bytes: Uint8Array): void {
    const { response } = this;
    response.write(bytes.subarray(0, -1), () => response.end(bytes.subarray(-1)));
  }

  /** An answer that goes on until its end, or its client's. */
  async stream(code: number, contentType: string, pieces: AsyncIterableIterator<string>): Promise<void> {
    const { response } = this;
    this.writeHead(code, contentType);
    response.flushHeaders();
    const leave = (): void =>
      detach(async () => {
        await pieces.return?.();
      }, ignore);
    if (response.destroyed) leave();
    response.once('close', leave);
    for await (const piece of pieces) {
      if (response.destroyed) break;
      this.size += Buffer.byteLength(piece);
      if (!response.write(piece)) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end();
  }

  /** The head of an answer that somebody else writes, a proxied one, is on its way. */
  began(code: number): void {
    this.code = code;
    this.onBegin?.(code);
  }

  /** An answer without body. */
  sendEmpty(code: number, more?: Headers): void {
    this.writeHead(code, undefined, more);
    this.response.end();
  }

  /** Until the client has taken a large answer; undefined when there is nothing to wait for. */
  get taken(): Promise<void> | undefined {
    const { response } = this;
    if (this.size < largeAnswerMin || response.writableFinished || response.destroyed) return undefined;
    return new Promise((resolve) => {
      response.once('finish', resolve);
      response.once('close', resolve);
    });
  }

  /** The time is over: the client is told so, or cut off in the middle, and whatever still works for it is asked to stop. */
  expire(): void {
    this.abort();
    // What is left of its body is not waited for.
    this.response.shouldKeepAlive = false;
    if (this.code === 0) {
      detach(
        () => this.fail(errors.timeout('request did not complete within the allotted timeout')),
        () => this.response.destroy(),
      );
    } else if (!this.response.writableFinished) this.response.destroy();
  }

  /** Answers an error; when the answer has begun already, all that is left is to break it off. */
  async fail({ status, code }: StatusError): Promise<void> {
    if (this.code === 0) {
      const { contentType, bytes } = await encodeValue(status, formOfError(this.wishes));
      const retry = status.details?.retryAfterSeconds;
      // What a backend's answer had set before it broke off.
      for (const name of this.response.getHeaderNames()) this.response.removeHeader(name);
      this.send(code, contentType, bytes, retry ? { 'retry-after': String(retry) } : undefined);
    } else if (!this.response.writableEnded) this.response.destroy();
  }
}

/** Why a request's signal is aborted; one for all, so that it costs nothing. */
const givenUp = new Error('the client is gone, or the request took too long');

function ignore(): void {}

function hasMoreParameters(query: string, max: number): boolean {
  if (query.length <= max) return false;
  let count = 1;
  for (let at = query.indexOf('&'); at >= 0 && count <= max; at = query.indexOf('&', at + 1)) count++;
  return count > max;
}

const tooLarge = (): StatusError => errors.tooLarge(`Request entity too large: limit is ${bodyBytesMax}`);
