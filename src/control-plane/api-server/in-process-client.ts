/**
 * The `Client` of components in the server's own process: the same chain as over HTTP, without the wire. Reads hand
 * out the very frozen objects of the watch cache. What a caller passes in is copied and stays his. Once it or the server
 * is closed, every call is refused, and every watch has ended with that refusal.
 */

import type { DeleteOptions, Status } from '../../api/generated/meta-v1.ts';
import type { Backend } from '../../api/kinds/kind-snapshot.ts';
import { apiVersionOf, type KindRef, type KubeObject, type ListOf, type New, type ObjectName } from '../../api/meta/object.ts';
import { errors, StatusError } from '../../api/meta/status-error.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
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
} from '../../client/client.ts';
import { realRandom } from '../../client/clock.ts';
import { detach } from '../../client/detached.ts';
import type { Informer, InformerOptions } from '../../client/informers/informer.ts';
import type { InformerEnvironment } from '../../client/informers/informer-cache.ts';
import { clientClosed, InformerSet } from '../../client/informers/informer-set.ts';
import { checkedMetadata, checkedObjectName, checkKind, checkPatch, checkPath, checkSelection } from '../../client/transport/check-call.ts';
import { pathOf } from '../../client/transport/request-path.ts';
import type { WatchEventType } from './cache/cache-event.ts';
import type { StoredObject } from './cache/stored-object.ts';
import { parseRoute } from './chain/route.ts';
import type { Targets } from './chain/targets.ts';
import type { Answer, WatchAnswer, WatchSink } from './request/answer.ts';
import {
  ApiRequest,
  type BackendCallTarget,
  type NonResourceTarget,
  type ReadingTarget,
  type RequestBody,
  type RequestSource,
} from './request/api-request.ts';
import { isWhole } from './request/non-resource-endpoint.ts';
import type { RequestOptions, UserInfo } from './request/request.ts';

export interface InProcessEnvironment extends InformerEnvironment {
  /** Resolves when the server is put together: what it consists of has clients before. Undefined: it is. */
  starting(): Promise<void> | undefined;
  readonly targets: () => Pick<Targets, 'inProcess' | 'reading' | 'registry' | 'coming'>;
  answer(request: ApiRequest): Promise<Answer>;
  /** Who answers for a kind elsewhere; undefined: this server does. */
  backend(kind: KindRef): Backend | undefined;
  /** aborted when the server stops */
  readonly signal: AbortSignal;
}

/** Asks another server for what its client gives, as any request is made. Rejects with Forbidden, and with ServiceUnavailable. */
type AskElsewhere = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

interface Call {
  readonly verb: string;
  readonly kind: KindRef;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  readonly options?: RequestOptions;
  readonly body?: RequestBody;
  readonly why?: (() => string) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class InProcessClient implements Client {
  readonly #environment: InProcessEnvironment;
  readonly #user: UserInfo;
  readonly #informers: InformerSet;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(environment: InProcessEnvironment, user: UserInfo) {
    this.#environment = environment;
    this.#user = user;
    this.#informers = new InformerSet(this, environment);
    this.#signal = AbortSignal.any([environment.signal, this.#stop.signal]);
  }

  async get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options: GetOptions = {}): Promise<T> {
    const elsewhere = this.#elsewhere('get', kind, at, options);
    if (elsewhere) return elsewhere((client) => client.get(kind, at, options));
    const { signal, resourceVersion, subresource } = options;
    return objectOf(
      await this.#call({
        verb: 'get',
        kind,
        ...checkedObjectName(kind, at),
        subresource,
        options: { resourceVersion: resourceVersion || undefined },
        signal,
      }),
    );
  }

  async list<T extends KubeObject>(kind: KindRef<T>, options: ListOptions = {}): Promise<ListOf<T>> {
    const elsewhere = this.#elsewhere('list', kind, options, options);
    if (elsewhere) return elsewhere((client) => client.list(kind, options));
    const { namespace, signal, ...query } = options;
    const answer = await this.#call({ verb: 'list', kind, namespace, options: query, signal });
    if (answer.type !== 'list') throw errors.internal('a list was expected');
    return {
      kind: `${kind.kind}List`,
      apiVersion: apiVersionOf(kind),
      metadata: {
        resourceVersion: String(answer.revision),
        ...(answer.continue !== undefined && { continue: answer.continue }),
        ...(answer.remainingItemCount !== undefined && { remainingItemCount: answer.remainingItemCount }),
      },
      items: answer.items.map((stored) => stored.object as T),
    };
  }

  async *watch<T extends KubeObject>(kind: KindRef<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    const ended = Promise.withResolvers<void>();
    const elsewhere = this.#elsewhere('watch', kind, options, { ...options, ended: ended.promise });
    if (elsewhere) {
      try {
        return yield* await elsewhere((client) => Promise.resolve(client.watch(kind, options)));
      } finally {
        ended.resolve();
      }
    }
    const { namespace, signal, ...query } = options;
    const withMatch = query.sendInitialEvents === undefined ? query : { ...query, resourceVersionMatch: 'NotOlderThan' };
    const answer = await this.#call({ verb: 'watch', kind, namespace, options: withMatch, signal });
    if (answer.type !== 'watch') throw errors.internal('a watch was expected');
    yield* new EventQueue<T>(answer.watch, kind);
    signal?.throwIfAborted();
    this.#throwIfClosed();
    if (!options.timeoutSeconds) throw errors.serviceUnavailable('the server has ended the watch');
  }

  async create<T extends KubeObject>(kind: KindRef<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    const metadata = checkedMetadata(kind, object);
    const elsewhere = this.#elsewhere('create', kind, metadata, options);
    if (elsewhere) return elsewhere((client) => client.create(kind, object, options));
    const { namespace } = metadata;
    const typed = object.kind === undefined ? { kind: kind.kind, apiVersion: apiVersionOf(kind), ...object } : object;
    return objectOf(await this.#call({ verb: 'create', kind, namespace, ...writeCall(options), body: bodyOf(typed) }));
  }

  async update<T extends KubeObject>(kind: KindRef<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const at = checkedObjectName(kind, checkedMetadata(kind, object));
    const elsewhere = this.#elsewhere('update', kind, at, options);
    if (elsewhere) return elsewhere((client) => client.update(kind, object, options));
    return objectOf(await this.#call({ verb: 'update', kind, ...at, ...writeCall(options), body: bodyOf(object) }));
  }

  async patch<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, patch: Patch, options: WriteOptions = {}): Promise<T> {
    const elsewhere = this.#elsewhere('patch', kind, at, options);
    if (elsewhere) return elsewhere((client) => client.patch(kind, at, patch, options));
    checkPatch(kind, patch);
    const call = writeCall(options);
    const force = patch.force === undefined ? {} : { force: patch.force };
    const body: RequestBody = { ...bodyOf(patch.body), patchType: () => patch.type };
    return objectOf(
      await this.#call({ verb: 'patch', kind, ...checkedObjectName(kind, at), ...call, options: { ...call.options, ...force }, body }),
    );
  }

  async delete<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options: DeleteRequest = {}): Promise<T | Status> {
    const elsewhere = this.#elsewhere('delete', kind, at, options);
    if (elsewhere) return elsewhere((client) => client.delete(kind, at, options));
    const answer = await this.#call({
      verb: 'delete',
      kind,
      ...checkedObjectName(kind, at),
      options: deletionQuery(options),
      why: options.why,
      signal: options.signal,
    });
    return answer.type === 'status' ? answer.status : objectOf(answer);
  }

  async deleteCollection(kind: KindRef, selection: ListOptions, options: DeleteRequest = {}): Promise<void> {
    const elsewhere = this.#elsewhere('deletecollection', kind, selection, options);
    if (elsewhere) return elsewhere((client) => client.deleteCollection(kind, selection, options));
    checkSelection(kind, selection);
    const { namespace, signal, ...query } = selection;
    await this.#call({
      verb: 'deletecollection',
      kind,
      namespace,
      options: { ...query, ...deletionQuery(options) },
      why: options.why,
      signal: options.signal ?? signal,
    });
  }

  async post<R = unknown>(kind: KindRef, at: ObjectName, subresource: string, body: unknown, options: WriteOptions = {}): Promise<R> {
    const elsewhere = this.#elsewhere('create', kind, at, { ...options, subresource });
    if (elsewhere) return elsewhere((client) => client.post<R>(kind, at, subresource, body, options));
    const call = {
      verb: 'create' as const,
      kind,
      ...checkedObjectName(kind, at),
      ...writeCall({ ...options, subresource }),
      body: bodyOf(body),
    };
    return objectOf(await this.#call(call)) as R;
  }

  async raw<R = unknown>(path: string, { accept = 'application/json' }: RawOptions = {}): Promise<R> {
    this.#throwIfClosed();
    checkPath(path);
    const target = pathTarget(path, accept);
    const route = parseRoute('GET', target.path, target.query);
    if (route.type === 'resource') {
      const { verb, namespace, name, subresource } = route;
      const elsewhere = this.#elsewhere(
        verb,
        { ...route, kind: '', namespaced: namespace !== undefined },
        { namespace, name },
        { subresource },
      );
      if (elsewhere) return elsewhere((client) => client.raw<R>(path, { accept }));
      await this.#environment.starting();
      const targets = this.#environment.targets();
      const reading = targets.reading(route);
      if (reading) return (await this.#read(reading)) as R;
      const kind = targets.registry.current.byResource(route.group, route.version, route.resource);
      const given = (option: string): string | undefined => target.query.get(option) ?? undefined;
      if (kind && verb === 'list') {
        const selection = { labelSelector: given('labelSelector'), fieldSelector: given('fieldSelector') };
        return (await this.list(kind, { ...selection, namespace })) as R;
      }
      if (kind && verb === 'get' && name !== undefined) return (await this.get(kind, { namespace, name }, { subresource })) as R;
    }
    return (await this.#read(target)) as R;
  }

  informer<T extends KubeObject>(kind: KindRef<T>, options: InformerOptions = {}): Informer<T> {
    return this.#informers.informer(kind, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#informers[Symbol.asyncDispose]();
  }

  /** Undefined: this server answers for the kind. */
  #elsewhere(
    verb: string,
    kind: KindRef,
    at: { readonly namespace?: string | undefined; readonly name?: string | undefined },
    { subresource, why, signal, ended }: Pick<Call, 'subresource' | 'why' | 'signal'> & { readonly ended?: Promise<void> },
  ): AskElsewhere | undefined {
    this.#throwIfClosed();
    checkKind(kind);
    const backend = this.#environment.backend(kind);
    if (!backend) return undefined;
    const { group, version, resource } = kind;
    const { namespace } = at;
    const name = verb === 'create' && !subresource ? undefined : at.name;
    const named = { group, version, resource, subresource, namespace, name };
    const path = pathOf(kind, { namespace, name }, subresource);
    return async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
      const given: T[] = [];
      const call = async (client: Client): Promise<void> => {
        given.push(await work(client));
      };
      await this.#environment.starting();
      const { answer, clock } = this.#environment;
      const source = new InProcessSource(this.#user, this.#signal, { signal, why });
      const target: BackendCallTarget = { type: 'backendCall', backend, path, resource: named, call, ended };
      const answered = await answer(new ApiRequest({ source, startMs: clock.monotonic(), user: this.#user, verb, target }));
      if (answered.type === 'connection')
        detach(answered.run, (error) => this.#environment.log.error({ error }, 'a watch elsewhere has not ended'));
      return given[0] as T;
    };
  }

  #call(call: Call): Promise<Answer> {
    this.#throwIfClosed();
    checkKind(call.kind);
    const starting = this.#environment.starting();
    return starting?.then(() => this.#askServed(call)) ?? this.#askServed(call);
  }

  /** What another server has just defined is asked for once it is served here too. */
  #askServed(call: Call): Promise<Answer> {
    const { registry, coming } = this.#environment.targets();
    const { group, version, resource } = call.kind;
    const served = registry.current.byResource(group, version, resource);
    return (!served && coming(call.kind)?.then(() => this.#ask(call))) || this.#ask(call);
  }

  #ask({ verb, kind, options, body, why, signal, ...at }: Call): Promise<Answer> {
    const { answer, targets, clock } = this.#environment;
    const target = targets().inProcess(kind, verb, at);
    const source = new InProcessSource(this.#user, this.#signal, { signal, why });
    return answer(new ApiRequest({ source, startMs: clock.monotonic(), user: this.#user, verb, target, options, body }));
  }

  async #read(target: NonResourceTarget | ReadingTarget): Promise<unknown> {
    const { answer, clock } = this.#environment;
    const source = new InProcessSource(this.#user, this.#signal, {});
    const request = new ApiRequest({ source, startMs: clock.monotonic(), user: this.#user, verb: 'get', target });
    const given = await answer(request);
    if (given.type !== 'page' || given.code === 404) throw errors.pathNotFound();
    const { body } = given.page;
    if (isWhole(body)) return parseJSON(Buffer.from(body).toString()) as unknown;
    await body.return?.();
    throw errors.badRequest(`${request.path} goes on: read it over HTTP`);
  }

  #throwIfClosed(): void {
    if (this.#environment.signal.aborted) throw errors.serviceUnavailable('the API server has stopped');
    if (this.#stop.signal.aborted) throw clientClosed();
  }
}

/** Most of it is asked for by few requests, and made then. */
class InProcessSource implements RequestSource {
  readonly sourceIPs: readonly string[] = [];
  readonly #user: UserInfo;
  readonly #stop: AbortSignal;
  readonly #call: Pick<Call, 'signal' | 'why'>;
  #id: string | undefined;
  #signal: AbortSignal | undefined;

  constructor(user: UserInfo, stop: AbortSignal, call: Pick<Call, 'signal' | 'why'>) {
    this.#user = user;
    this.#stop = stop;
    this.#call = call;
  }

  get id(): string {
    this.#id ??= realRandom.uuid(); // whoever looks at requests changes nothing of a cluster that a seed makes
    return this.#id;
  }
  /** As a component says it that is in a process of its own. */
  get userAgent(): string {
    return `timonier/${this.#user.name}`;
  }
  get signal(): AbortSignal {
    this.#signal ??= this.#call.signal ? AbortSignal.any([this.#call.signal, this.#stop]) : this.#stop;
    return this.#signal;
  }
  why(): string | undefined {
    return this.#call.why?.();
  }
  warn(): void {}
}

function pathTarget(path: string, accept: string): NonResourceTarget {
  const mark = path.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
  return {
    type: 'nonResource',
    method: 'GET',
    path: mark < 0 ? path : path.slice(0, mark),
    query,
    headers: { accept },
  };
}

const bodyOf = (value: unknown): RequestBody => ({ read: () => Promise.resolve({ value }) });

function writeCall({ dryRun, fieldManager, fieldValidation, subresource, why, signal }: WriteOptions) {
  const options: RequestOptions = {
    dryRun: dryRun ? ['All'] : undefined,
    fieldManager: fieldManager || undefined,
    fieldValidation: fieldValidation || undefined,
  };
  return { options, subresource, why, signal };
}

function deletionQuery({ dryRun, why: _why, signal: _, ...deletion }: DeleteRequest): RequestOptions {
  const options: DeleteOptions = deletion;
  return { deletion: options, dryRun: dryRun ? ['All'] : undefined };
}

function objectOf<T extends KubeObject>(answer: Answer): T {
  if (answer.type === 'object') return answer.stored.object as T;
  if (answer.type === 'value') return answer.object as T;
  throw errors.internal('an object was expected');
}

/** Events that wait to be taken; then no more until they all are. */
const untakenMax = 1000;

/** A watch as an iterable: events wait here until they are taken. */
class EventQueue<T extends KubeObject> implements WatchSink, AsyncIterable<WatchEvent<T>> {
  readonly #watch: WatchAnswer;
  readonly #kind: KindRef<T>;
  #events: WatchEvent<T>[] = [];
  #taken = 0;
  #ended = false;
  #error: StatusError | undefined;
  #waiting: (() => void) | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(watch: WatchAnswer, kind: KindRef<T>) {
    this.#watch = watch;
    this.#kind = kind;
  }

  get full(): Promise<void> | undefined {
    if (this.#ended || this.#events.length <= untakenMax) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  event(type: WatchEventType, object: StoredObject): void {
    this.#push({ type, object: object.object as T });
  }

  bookmark(revision: number, isInitialEnd: boolean): void {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const metadata = { resourceVersion: String(revision), ...(isInitialEnd && { annotations }) };
    this.#push({ type: 'BOOKMARK', object: { kind: this.#kind.kind, apiVersion: apiVersionOf(this.#kind), metadata } });
  }

  end(status?: Status): void {
    this.#ended = true;
    if (status) this.#error = StatusError.from(status);
    this.#room?.resolve();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<WatchEvent<T>> {
    this.#watch.start(this);
    try {
      for (;;) {
        while (this.#taken < this.#events.length) {
          const event = this.#events[this.#taken++];
          if (event) yield event;
        }
        this.#events = [];
        this.#taken = 0;
        this.#room?.resolve();
        this.#room = undefined;
        if (this.#error) throw this.#error;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      }
    } finally {
      this.#watch.stop();
    }
  }

  #push(event: WatchEvent<T>): void {
    this.#events.push(event);
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
