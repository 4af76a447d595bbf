/**
 * One endpoint, asked over connections that are kept: what it is told and what it answers, whether by HTTP/1.1
 * (http1-upstream.ts) or HTTP/2 (http2-upstream.ts). Heads are flat lists of names and values, as they are written.
 */
import { connect as connectTCP, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTLS } from 'node:tls';
import type { Endpoint } from './endpoints.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** with its query */
  readonly path: string;
  readonly host: string;
  /** without `host` and without what is said to the next hop alone */
  readonly headers: readonly string[];
  readonly body: Readable | undefined;
  /** until the head, and between two pieces of the body */
  readonly readMs: number;
}

/** What is told of an answer, in this order; `failed` at any time, and then nothing more. */
export interface AnswerSink {
  /** It is being sent: the body is read, and what fails from now on may have been done. */
  sent(): void;
  /** `isWhole`: there is neither body nor trailers. */
  head(status: number, headers: readonly string[], isWhole: boolean): void;
  data(chunk: Buffer): void;
  end(trailers: readonly string[]): void;
  failed(error: Error): void;
}

/** A request under way. */
export interface UpstreamCall {
  pause(): void;
  resume(): void;
  abort(): void;
}

export interface Upstream {
  send(request: UpstreamRequest, sink: AnswerSink): UpstreamCall;
  /** Takes no more requests; what is under way goes on to its end, and then it resolves. */
  close(): Promise<void>;
  /** Breaks off what is under way, too. */
  destroy(): void;
}

/** The request can't be said by the endpoint's protocol: that is the client's doing, and no endpoint's. */
export class UnsayableRequest extends Error {
  override readonly name = 'UnsayableRequest';
}

/** A read of an answer took too long. */
export class UpstreamTimeout extends Error {
  override readonly name = 'UpstreamTimeout';
}

/** A connection of its own; whose certificate it is nobody checks. */
export function connectTo({ address: host, port }: Endpoint, { isSecure, ...tls }: Connecting): Socket {
  return isSecure ? connectTLS({ host, port, rejectUnauthorized: false, ...tls }) : connectTCP({ host, port });
}

interface Connecting {
  readonly isSecure: boolean;
  readonly ALPNProtocols?: string[];
}
