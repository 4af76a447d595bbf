/**
 * An endpoint that speaks HTTP/2, in plain (h2c, by prior knowledge) or by TLS: gRPC's way. One connection carries all
 * requests; when it ends, or its server says that it will, the next request opens another.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { joinHostPort } from '../../api/meta/addresses.ts';
import { messageOf } from '../../api/meta/status-error.ts';
import { own, put } from '../../api/meta/words.ts';
import {
  type AnswerSink,
  connectTo,
  UnsayableRequest,
  type Upstream,
  type UpstreamCall,
  type UpstreamRequest,
  UpstreamTimeout,
} from './upstream.ts';

/** How long a connection without requests is kept. */
const idleMs = 60_000;
const windowBytes = 1024 * 1024;
const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: windowBytes },
  strictSingleValueFields: false, // a field that a client says twice is said twice
};

export interface HTTP2Options {
  readonly address: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly connectMs: number;
}

export class HTTP2Upstream implements Upstream {
  readonly #options: HTTP2Options;
  #session: ClientHttp2Session | undefined;

  constructor(options: HTTP2Options) {
    this.#options = options;
  }

  send(request: UpstreamRequest, sink: AnswerSink): UpstreamCall {
    const session = this.#connected();
    const { method, path, host, headers, body, readMs } = request;
    const head: OutgoingHttpHeaders = {
      ':method': method,
      ':path': path,
      ':scheme': this.#options.isSecure ? 'https' : 'http',
      ':authority': host,
      ...gathered(headers),
    };
    const stream = openStream(session, head, !body);
    const begin = (): void => {
      sink.sent();
      body?.pipe(stream);
    };
    if (session.connecting) session.once('connect', begin);
    else begin();
    listen(stream, sink, readMs);
    return { pause: () => stream.pause(), resume: () => stream.resume(), abort: () => stream.close(constants.NGHTTP2_CANCEL) };
  }

  #connected(): ClientHttp2Session {
    const before = this.#session;
    if (before && !before.closed && !before.destroyed) return before;
    const { address, port, isSecure, connectMs } = this.#options;
    const authority = `${isSecure ? 'https' : 'http'}://${joinHostPort(address, port)}`;
    const socket = connectTo({ address, port }, { isSecure, ALPNProtocols: ['h2'] });
    socket.on('error', () => undefined); // the session is told
    socket.setTimeout(connectMs, () => socket.destroy(new UpstreamTimeout(`no connection within ${connectMs} ms`)));
    const session = connect(authority, { ...sessionOptions, createConnection: () => socket });
    session.once('connect', () => {
      socket.setTimeout(0); // from now on each stream has its own
      if (session.destroyed) return;
      session.setTimeout(idleMs, () => session.close());
      session.setLocalWindowSize(windowBytes);
    });
    session.on('error', () => undefined); // each of its streams is told
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }

  async close(): Promise<void> {
    const session = this.#session;
    if (!session || session.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    session.once('close', resolve).close();
    await promise;
  }

  destroy(): void {
    this.#session?.destroy();
  }
}

function openStream(session: ClientHttp2Session, head: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
  try {
    return session.request(head, { endStream });
  } catch (error) {
    if (session.closed || session.destroyed) throw error;
    throw new UnsayableRequest(messageOf(error), { cause: error });
  }
}

function listen(stream: ClientHttp2Stream, sink: AnswerSink, readMs: number): void {
  let trailers: readonly string[] = [];
  let isStarted = false;
  let isOver = false;
  const fail = (error: Error): void => {
    if (isOver) return;
    isOver = true;
    sink.failed(error);
  };
  const lost = (): void => fail(Object.assign(new Error('the stream ended before its answer did'), { rstCode: stream.rstCode }));
  const end = (): void => {
    if (isOver) return;
    // it ends, too, when its connection does, or when it is reset
    if (!isStarted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) lost();
    else {
      isOver = true;
      sink.end(trailers);
    }
  };
  stream.setTimeout(readMs, () => {
    fail(new UpstreamTimeout(`nothing came for ${readMs} ms`));
    stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.on('response', (headers, flags, raw) => {
    isStarted = true;
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    sink.head(Number(headers[':status']), fieldsOf(raw), isWhole);
  });
  stream.on('trailers', (_, __, raw) => {
    trailers = fieldsOf(raw);
  });
  stream.on('data', (chunk: Buffer) => sink.data(chunk));
  stream.on('end', end);
  stream.on('error', fail);
  stream.on('close', lost);
}

const fieldsOf = (raw: readonly string[] = []): string[] => raw.filter((_, i) => !raw[i - (i % 2)]?.startsWith(':'));

/** Several of one name as a list. */
export function gathered(headers: readonly string[]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    const value = headers[i + 1] ?? '';
    const before = own(fields, name);
    put(fields, name, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
  }
  return fields;
}
