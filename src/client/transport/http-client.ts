/**
 * The `Client` that speaks HTTPS to an API server, on undici.
 *
 * HTTP/1.1 with keep-alive: a watch has a connection of its own, so any number of them never starves the rest; other
 * requests share a pool. An answer with Retry-After (429, 5xx) is tried again up to ten times. A token from a file is
 * read again each minute, and when it was refused. Objects are as the server sent them, not frozen.
 *
 * What it does not do: throttle itself (the server's flow control does), exec and port-forward streams.
 * Upstream: client-go/rest.
 */

import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { Status } from '../../api/generated/meta-v1.ts';
import { apiVersionOf, type KindRef, type KubeObject, type ListOf, type New, type ObjectName } from '../../api/meta/object.ts';
import { StatusError } from '../../api/meta/status-error.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { PatchType } from '../../api/schema/patch.ts';
import type {
  Client,
  DeleteRequest,
  GetOptions,
  ListOptions,
  Patch,
  RawOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../client.ts';
import type { Clock, Random } from '../clock.ts';
import { whyHeader } from '../events/acts.ts';
import type { Informer, InformerOptions } from '../informers/informer.ts';
import { clientClosed, InformerSet } from '../informers/informer-set.ts';
import type { Log } from '../log.ts';
import { checkedMetadata, checkedObjectName, checkKind, checkPatch, checkPath, checkSelection } from './check-call.ts';
import { type ClientCredentials, createTokenSource, type TokenSource } from './credentials.ts';
import { answerHeadBytesMax } from './node-http.ts';
import { deleteOptionsOf, pathOf, type Query, queryOf } from './request-path.ts';
import { decodeWatch, linesOf } from './watch-decoder.ts';

export interface HTTPClientOptions extends ClientCredentials {
  /** `https://host:port`, a path prefix allowed */
  readonly server: string;
  /** PEM; default: the system's */
  readonly ca?: string | undefined;
  /** the name that the server's certificate must have, where it is not the host */
  readonly tlsServerName?: string | undefined;
  readonly insecureSkipTLSVerify?: boolean | undefined;
  readonly userAgent?: string | undefined;
  /** of every request: as whom a proxy speaks */
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
  /** opens a connection, where that is not done by the server's address; TLS is its own to make */
  readonly connect?: (() => Promise<Socket>) | undefined;
  /** what an answer may have, watches apart; default: without limit */
  readonly answerBytesMax?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const connectionsMax = 64;
const keepAliveMs = 60_000;
const requestTimeoutMs = 60_000;
const retriesMax = 10;
/** A server may ask for more. */
const retryAfterSecondsMax = 60;
const headerWordsMax = 512;

const patchContentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface Request {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly why?: (() => string) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly accept?: string | undefined;
  /** how long the answer may take */
  readonly timeoutMs?: number | undefined;
}

export interface HTTPAccess extends Client {
  /** PUT of a path that is no resource. */
  put<R = unknown>(path: string, options: { readonly timeoutMs: number }): Promise<R>;
  /** GET of a path whose answer goes on, line by line; resolves when it begins. */
  lines(path: string, signal?: AbortSignal): Promise<AsyncIterable<string>>;
  /** The same connections and informers, for one that calls itself otherwise. It ends with this one. */
  as(userAgent: string): Client;
}

export function createHTTPClient(options: HTTPClientOptions): HTTPAccess {
  return new HTTPClient(options);
}

class HTTPClient implements HTTPAccess {
  readonly #options: HTTPClientOptions;
  readonly #base: URL;
  readonly #token: TokenSource | undefined;
  readonly #informers: InformerSet;
  /** whose connections it uses; absent: its own */
  readonly #origin: HTTPClient | undefined;
  /** made on first use */
  #pools: Promise<{ requests: Pool; watches: Pool }> | undefined;
  #isClosed = false;

  constructor(options: HTTPClientOptions, origin?: HTTPClient) {
    this.#options = options;
    this.#base = new URL(options.server);
    this.#origin = origin;
    this.#token = origin ? origin.#token : createTokenSource(options, options.clock);
    this.#informers = origin ? origin.#informers : new InformerSet(this, options);
  }

  async get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options: GetOptions = {}): Promise<T> {
    const { signal, resourceVersion, subresource } = options;
    const path = pathOf(kind, checkedObjectName(kind, at), subresource);
    return (await this.#json({ method: 'GET', path, query: { resourceVersion }, signal })) as T;
  }

  async list<T extends KubeObject>(kind: KindRef<T>, options: ListOptions = {}): Promise<ListOf<T>> {
    checkKind(kind);
    const { namespace, signal, ...query } = options;
    const list = (await this.#json({ method: 'GET', path: pathOf(kind, { namespace }), query, signal })) as ListOf<T>;
    const type = { apiVersion: apiVersionOf(kind), kind: kind.kind };
    // Lists leave out what all items share.
    const items = (list.items ?? []).map((item) => ({ ...type, ...item }) as T);
    return { ...list, items };
  }

  async *watch<T extends KubeObject>(kind: KindRef<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    checkKind(kind);
    const { namespace, signal, ...query } = options;
    const path = pathOf(kind, { namespace });
    // Initial events and the match are only taken together.
    const match = query.sendInitialEvents === undefined ? {} : { resourceVersionMatch: 'NotOlderThan' };
    const response = await this.#send({ method: 'GET', path, query: { ...query, ...match, watch: true }, signal }, 'watches');
    yield* decodeWatch<T>(response.body);
  }

  async create<T extends KubeObject>(kind: KindRef<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = checkedMetadata(kind, object);
    const { subresource } = options;
    const path = pathOf(kind, { namespace, name: subresource && name }, subresource);
    const body = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object };
    return (await this.#json({ method: 'POST', path, query: queryOf(options), body, why: options.why, signal: options.signal })) as T;
  }

  async update<T extends KubeObject>(kind: KindRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const path = pathOf(kind, checkedObjectName(kind, checkedMetadata(kind, object)), options.subresource);
    return (await this.#json({
      method: 'PUT',
      path,
      query: queryOf(options),
      body: object,
      why: options.why,
      signal: options.signal,
    })) as T;
  }

  async patch<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, patch: Patch, options: WriteOptions = {}): Promise<T> {
    checkPatch(kind, patch);
    return (await this.#json({
      method: 'PATCH',
      path: pathOf(kind, checkedObjectName(kind, at), options.subresource),
      query: { ...queryOf(options), force: patch.force || undefined },
      body: patch.body,
      contentType: patchContentTypes[patch.type],
      why: options.why,
      signal: options.signal,
    })) as T;
  }

  async delete<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options: DeleteRequest = {}): Promise<T | Status> {
    const body = deleteOptionsOf(options);
    const { why, signal } = options;
    return (await this.#json({ method: 'DELETE', path: pathOf(kind, checkedObjectName(kind, at)), body, why, signal })) as T | Status;
  }

  async deleteCollection(kind: KindRef, selection: ListOptions, options: DeleteRequest = {}): Promise<void> {
    checkSelection(kind, selection);
    const { namespace, signal, ...query } = selection;
    const path = pathOf(kind, { namespace });
    const body = deleteOptionsOf(options);
    await this.#json({ method: 'DELETE', path, query, body, why: options.why, signal: options.signal ?? signal });
  }

  async post<R = unknown>(kind: KindRef, at: ObjectName, subresource: string, body: unknown, options: WriteOptions = {}): Promise<R> {
    const path = pathOf(kind, checkedObjectName(kind, at), subresource);
    return (await this.#json({ method: 'POST', path, query: queryOf(options), body, why: options.why, signal: options.signal })) as R;
  }

  async raw<R = unknown>(path: string, { accept }: RawOptions = {}): Promise<R> {
    checkPath(path);
    return (await this.#json({ method: 'GET', path, accept })) as R;
  }

  async put<R = unknown>(path: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<R> {
    return (await this.#json({ method: 'PUT', path, timeoutMs })) as R;
  }

  async lines(path: string, signal?: AbortSignal): Promise<AsyncIterable<string>> {
    const response = await this.#send({ method: 'GET', path, signal }, 'watches');
    return linesOf(response.body);
  }

  as(userAgent: string): Client {
    return new HTTPClient({ ...this.#options, userAgent }, this.#origin ?? this);
  }

  informer<T extends KubeObject>(kind: KindRef<T>, options?: InformerOptions): Informer<T> {
    return this.#informers.informer(kind, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#origin || this.#isClosed) return;
    this.#isClosed = true;
    await this.#informers[Symbol.asyncDispose]();
    const pools = await this.#pools;
    await Promise.all([pools?.requests.destroy(), pools?.watches.destroy()]);
  }

  async #json(request: Request): Promise<unknown> {
    const response = await this.#send(request, 'requests');
    return response.body.json();
  }

  /** The answer, if it is a good one; else a StatusError. */
  async #send(request: Request, pool: 'requests' | 'watches'): Promise<Dispatcher.ResponseData> {
    const { clock } = this.#options;
    for (let tries = 1; ; tries++) {
      const response = await this.#dispatch(request, pool);
      if (response.statusCode < 300) return response;
      const error = await errorOf(response);
      if (response.statusCode === 401) this.#token?.refuse();
      const retryAfterSeconds = Number(response.headers['retry-after']);
      const again = (response.statusCode === 429 || response.statusCode >= 500) && retryAfterSeconds > 0;
      if (!again || tries > retriesMax) throw error;
      await clock.sleep(Math.min(retryAfterSeconds, retryAfterSecondsMax) * 1000, request.signal);
    }
  }

  async #dispatch(request: Request, pool: 'requests' | 'watches'): Promise<Dispatcher.ResponseData> {
    const { [pool]: dispatcher } = await this.#connected();
    const token = await this.#token?.token();
    const { method, body, why, signal, timeoutMs, accept = 'application/json' } = request;
    const [path = '', extra] = request.path.split('?', 2);
    const query = new URLSearchParams(extra);
    for (const [name, value] of Object.entries(request.query ?? {})) if (value !== undefined) query.set(name, String(value));
    return dispatcher.request({
      method,
      path: this.#base.pathname.replace(/\/$/, '') + path + (query.size > 0 ? `?${query}` : ''),
      headers: {
        accept,
        'user-agent': this.#options.userAgent ?? 'timonier',
        ...this.#options.headers,
        ...(body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
        ...(why && { [whyHeader]: headerWords(why()) }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      ...(timeoutMs && { headersTimeout: timeoutMs }),
    });
  }

  async #connected(): Promise<{ requests: Pool; watches: Pool }> {
    if (this.#origin) return this.#origin.#connected();
    if (this.#isClosed) throw clientClosed();
    this.#pools ??= this.#connect();
    return this.#pools;
  }

  async #connect(): Promise<{ requests: Pool; watches: Pool }> {
    const { Pool } = await import('undici');
    const { ca, cert, key, tlsServerName, insecureSkipTLSVerify, connect: open, answerBytesMax = -1 } = this.#options;
    const byAddress = {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(tlsServerName && { servername: tlsServerName }),
      ...(insecureSkipTLSVerify && { rejectUnauthorized: false }),
    };
    const connect = open ? connectorOf(open) : byAddress;
    const shared = { connect, keepAliveTimeout: keepAliveMs, headersTimeout: requestTimeoutMs, maxHeaderSize: answerHeadBytesMax };
    return {
      requests: new Pool(this.#base.origin, {
        ...shared,
        connections: connectionsMax,
        bodyTimeout: requestTimeoutMs,
        maxResponseSize: answerBytesMax,
      }),
      watches: new Pool(this.#base.origin, { ...shared, bodyTimeout: 0 }),
    };
  }
}

const connectorOf =
  (open: () => Promise<Socket>): buildConnector.connector =>
  (_, connected) => {
    open().then(
      (socket) => connected(null, socket),
      (error: Error) => connected(error, null),
    );
  };

/** A header is printable ASCII. */
const headerWords = (text: string): string => text.replaceAll(/[^ -~]/g, '?').slice(0, headerWordsMax);

async function errorOf(response: Dispatcher.ResponseData): Promise<StatusError> {
  const text = await response.body.text();
  const status = statusIn(text);
  if (status) return StatusError.from(status, response.statusCode);
  return new StatusError({
    code: response.statusCode,
    reason: reasonOf(response.statusCode),
    message: text.trim() || `HTTP ${response.statusCode}`,
  });
}

function statusIn(text: string): Status | undefined {
  try {
    const body = parseJSON(text) as { readonly kind?: string };
    return body.kind === 'Status' ? (body as Status) : undefined;
  } catch {
    // Not from an API server: a proxy's page.
    return undefined;
  }
}

/** What a bare HTTP code means, as client-go's NewGenericServerResponse has it. */
function reasonOf(code: number): string {
  const reasons: Record<number, string> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    406: 'NotAcceptable',
    409: 'Conflict',
    410: 'Gone',
    415: 'UnsupportedMediaType',
    422: 'Invalid',
    429: 'TooManyRequests',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  };
  return reasons[code] ?? (code >= 500 ? 'InternalError' : 'Unknown');
}
