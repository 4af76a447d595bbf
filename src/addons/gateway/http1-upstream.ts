/** An endpoint that speaks HTTP/1.1, in plain or by TLS, by undici's pool of connections. */
import type { errors, Pool } from 'undici';
import { detach } from '../../client/detached.ts';
import { answerHeadBytesMax } from '../../client/transport/node-http.ts';
import { type AnswerSink, UnsayableRequest, type Upstream, type UpstreamCall, type UpstreamRequest, UpstreamTimeout } from './upstream.ts';

/** To one endpoint; what is more waits. */
const connectionsMax = 1000;
/** Less than servers usually keep a connection without requests, so that few are closed at the moment of the next one. */
const keepAliveMs = 4000;

export interface HTTP1Options {
  /** `http://10.244.0.5:8080` */
  readonly origin: string;
  readonly connectMs: number;
}

/** Loaded when the first request comes: it takes 70 ms. */
let undici: Promise<typeof import('undici')> | undefined;

export class HTTP1Upstream implements Upstream {
  readonly #options: HTTP1Options;
  #pool: Pool | undefined;
  #isClosed = false;

  constructor(options: HTTP1Options) {
    this.#options = options;
  }

  send(request: UpstreamRequest, sink: AnswerSink): UpstreamCall {
    const call = new Call();
    if (this.#pool) dispatch(this.#pool, request, { sink, call });
    else
      detach(
        async () => dispatch(await this.#open(), request, { sink, call }),
        (error) => sink.failed(error as Error),
      );
    return call;
  }

  async #open(): Promise<Pool> {
    undici ??= import('undici');
    const { Pool } = await undici;
    if (this.#isClosed) throw new Error('the endpoint is gone');
    const { origin, connectMs } = this.#options;
    this.#pool ??= new Pool(origin, {
      connections: connectionsMax,
      keepAliveTimeout: keepAliveMs,
      connect: { timeout: connectMs, rejectUnauthorized: false },
      maxHeaderSize: answerHeadBytesMax,
    });
    return this.#pool;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.close();
  }

  destroy(): void {
    this.#isClosed = true;
    this.#pool?.destroy().catch(() => undefined);
  }
}

interface Sending {
  readonly sink: AnswerSink;
  readonly call: Call;
}

function dispatch(pool: Pool, { method, path, host, headers, body, readMs }: UpstreamRequest, { sink, call }: Sending): void {
  pool.dispatch(
    { method, path, headers: ['host', host, ...headers], body: body ?? null, headersTimeout: readMs, bodyTimeout: readMs },
    {
      onRequestStart(controller) {
        sink.sent();
        call.begin(controller);
      },
      onResponseStart(controller, status) {
        if (status >= 200) sink.head(status, textsOf(controller.rawHeaders), false);
      },
      onResponseData: (_, chunk) => sink.data(chunk),
      onResponseEnd: ({ rawTrailers }) => sink.end(textsOf(rawTrailers)),
      onResponseError: (_, error) => sink.failed(named(error)),
    },
  );
}

type Controller = Parameters<NonNullable<Parameters<Pool['dispatch']>[1]['onRequestStart']>>[0];

/** Of a request that may still wait for a connection. */
class Call implements UpstreamCall {
  #controller: Controller | undefined;
  #isAborted = false;

  begin(controller: Controller): void {
    this.#controller = controller;
    if (this.#isAborted) this.abort();
  }
  pause(): void {
    this.#controller?.pause();
  }
  resume(): void {
    this.#controller?.resume();
  }
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort(new Error('the client went away'));
  }
}

const timeouts: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const unsayable: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);
function named(error: Error): Error {
  const { code = '' } = error as Partial<errors.UndiciError>;
  if (timeouts.has(code)) return new UpstreamTimeout(error.message);
  return unsayable.has(code) ? new UnsayableRequest(error.message, { cause: error }) : error;
}

/** As they came, byte for character. */
const textsOf = (raw: unknown): string[] =>
  Array.isArray(raw) ? raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1'))) : [];
