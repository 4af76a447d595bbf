/**
 * One API request, from its first byte to its last, by whatever transport it came: who wants to do what with which target.
 * The transport makes it, the chain (chain.ts) takes it through its steps, and its target answers it. Create endpoints and
 * connections are declared here too: a target names them, and they are given the target.
 *
 * What is not known at first is set by the step that learns it: the user by authentication and impersonation.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject, ObjectName } from '../../../api/meta/object.ts';
import type { StatusError } from '../../../api/meta/status-error.ts';
import { put } from '../../../api/meta/words.ts';
import type { PatchType } from '../../../api/schema/patch.ts';
import type { Client } from '../../../client/client.ts';
import { pathOf } from '../../../client/transport/request-path.ts';
import { managerOf } from './field-manager.ts';
import type { RequestOptions, UserInfo } from './request.ts';

/** A kind, one of its objects, or a subresource of that. */
export interface ResourceTarget {
  readonly type: 'resource';
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** what answers a create instead of the store */
  readonly answeredBy: CreateEndpoint | undefined;
}

/**
 * A resource or subresource whose POST is answered by code instead of the store: reviews, token, binding,
 * eviction. The body has been decoded, checked against its type and defaulted; mutating and validating admission ran.
 * Upstream: apiserver/pkg/registry/rest (Creater, NamedCreater).
 */
export interface CreateEndpoint {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  handle(call: CreateCall): Promise<KubeObject>;
}
/** A request for a create endpoint, and its body. */
export interface CreateCall {
  readonly request: ResourceRequest;
  /** the named object, for subresources */
  readonly at: ObjectName;
  readonly body: KubeObject;
}

/** A path that is no resource. */
export interface NonResourceTarget {
  readonly type: 'nonResource';
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What answers by itself over the wire. */
export interface Connection {
  readonly query: URLSearchParams;
  readonly request: HTTPRequest;
  /** absent for upgrades */
  readonly response: HTTPResponse | undefined;
  /** the raw connection, where the client wants to go on in another protocol */
  readonly upgrade: Upgrade | undefined;
  /** the request's */
  readonly signal: AbortSignal;
  /** The endpoint says with which code its answer has begun. */
  readonly began: (code: number) => void;
}

/** A subresource that takes over the connection, or streams its answer. */
export interface ConnectTarget extends Connection {
  readonly type: 'connect';
  readonly kind: Kind;
  readonly at: ObjectName;
  readonly subresource: string;
  /** what follows the subresource in the path, with its slash */
  readonly rest: string;
  readonly endpoint: ConnectEndpoint;
  /** Beside the request's own verb, its user has to be allowed this one: an upgrade by GET runs commands as a POST does. */
  readonly alsoNeeds: 'create' | undefined;
}

/** What a GET of such a subresource gives, read by a component of this process. */
export interface ReadingTarget extends Omit<ResourceTarget, 'type' | 'answeredBy'> {
  readonly type: 'reading';
  read(signal: AbortSignal): Promise<string>;
}

/** What another server answers for: a resource of its group-version, or a path of it (its discovery). */
export interface BackendTarget extends Connection {
  readonly type: 'backend';
  readonly backend: Backend;
  readonly path: string;
  readonly resource: NamedResource | undefined;
}

/** The same, asked by a component of this process: by a client of that server, through which it goes on. */
export interface BackendCallTarget {
  readonly type: 'backendCall';
  readonly backend: Backend;
  readonly path: string;
  readonly resource: NamedResource;
  /** Resolves when it is answered; the answer is the caller's. */
  call(client: Client): Promise<void>;
  /** of a watch: when its caller has had enough */
  readonly ended: Promise<void> | undefined;
}

/** A resource, as a path, authorization and metrics name it. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** The raw connection, and the first bytes after the request's head. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** The types of the fields of PodExecOptions and the like; `rest`: the path after the subresource. */
export type OptionTypes = Readonly<Record<string, 'text' | 'texts' | 'flag' | 'numbers' | 'rest'>>;

/** A subresource that takes over the connection or streams an answer: log, exec, attach, portforward, proxy. Upstream: rest.Connecter. */
export interface ConnectEndpoint {
  readonly resource: string;
  readonly subresource: string;
  readonly methods: readonly string[];
  /** what its query says, as admission sees it; absent: it only reads, and is not admitted */
  readonly parameters?: OptionTypes;
  /** Authorized and admitted already. */
  handle(target: ConnectTarget): Promise<void>;
  /** The same for a component of this process that wants to know the page; absent: it can't. */
  read?(at: ObjectName, rest: string, signal: AbortSignal): Promise<string>;
}

export type HTTPRequest = IncomingMessage | Http2ServerRequest;
/** HTTP/2's has the same methods. */
export type HTTPResponse = ServerResponse;

/** What has the path of a resource that is not served. */
export interface UnservedTarget {
  readonly type: 'unserved';
  readonly resource: NamedResource;
  readonly isInBuiltInGroup: boolean;
}

export type Target =
  | ResourceTarget
  | NonResourceTarget
  | ConnectTarget
  | ReadingTarget
  | BackendTarget
  | BackendCallTarget
  | UnservedTarget;

/** The resource that it is about; undefined for a path. */
export function resourceOf(target: Target): NamedResource | undefined {
  if (target.type === 'nonResource') return undefined;
  if (target.type === 'backend' || target.type === 'backendCall' || target.type === 'unserved') return target.resource;
  const { group, version, resource } = target.kind;
  const { namespace, name } = target.type === 'connect' ? target.at : target;
  return { group, version, resource, subresource: target.subresource, namespace, name };
}

/** A request for a stored kind, as the verbs take it. */
export type ResourceRequest = ApiRequest<ResourceTarget>;

/** The body of a request: read when a verb comes to it, after authorization. */
export interface RequestBody {
  /** Undefined when there is no body. */
  read(): Promise<BodyContent | undefined>;
  /** bytes that were read of it, where it comes over the wire: what is made of it costs accordingly */
  readonly size?: number;
  /** What a PATCH is, by its content type. Throws UnsupportedMediaType. */
  readonly patchType?: (() => PatchType) | undefined;
}

/**
 * JSON text as it came over the wire, or a value: the caller's, who keeps it, unless it is the request's own.
 * `problems`: what is wrong with its text, in the words of strict field validation.
 */
export type BodyContent =
  | { readonly text: string }
  | { readonly value: unknown; readonly isOwn?: boolean; readonly problems?: readonly string[] };

/** What a request hears from its transport, and says to it. Most of it is seldom asked for. */
export interface RequestSource {
  /** the audit ID */
  readonly id: string;
  /** where the client is */
  readonly sourceIPs: readonly string[];
  readonly userAgent: string | undefined;
  /** Aborts when the client is gone or the request's time is over. */
  readonly signal: AbortSignal;
  /** The client's own words for what it does. */
  why(): string | undefined;
  warn(message: string): void;
}

export interface RequestGiven<T extends Target> {
  readonly source: RequestSource;
  /** of the transport's own clock */
  readonly startMs: number;
  readonly verb: string;
  readonly target: T;
  readonly uri?: string | undefined;
  readonly options?: RequestOptions | undefined;
  readonly body?: RequestBody | undefined;
  readonly refusal?: StatusError | undefined;
  /** where it is known already */
  readonly user?: UserInfo | undefined;
}

const noOptions: RequestOptions = {};
const nobody: UserInfo = { name: '', groups: [] };
/** More than the server itself writes. */
const annotationsMax = 64;

export class ApiRequest<T extends Target = Target> {
  readonly #source: RequestSource;
  readonly startMs: number;
  /** of authorization: for connections what the method says, for paths the method in lower case, empty for a method that no resource has */
  readonly verb: string;
  readonly target: T;
  readonly #uri: string | undefined;
  readonly options: RequestOptions;
  readonly body: RequestBody | undefined;
  /** What is wrong with what was asked: told only to who may ask it. */
  readonly refusal: StatusError | undefined;
  /** as whom it is done */
  user: UserInfo;
  /** who is behind that user, when it is another */
  impersonator: UserInfo | undefined;
  annotations: Record<string, string> | undefined;
  /** for those who keep what requests say, too */
  details: Record<string, () => string> | undefined;
  /** what its body says, once that is decoded; of a patch the text */
  sent: unknown;

  constructor({ source, startMs, verb, target, uri, options = noOptions, body, refusal, user = nobody }: RequestGiven<T>) {
    this.#source = source;
    this.startMs = startMs;
    this.verb = verb;
    this.target = target;
    this.#uri = uri;
    this.options = options;
    this.body = body;
    this.refusal = refusal;
    this.user = user;
  }

  get id(): string {
    return this.#source.id;
  }
  get sourceIPs(): readonly string[] {
    return this.#source.sourceIPs;
  }
  get userAgent(): string | undefined {
    return this.#source.userAgent;
  }
  get signal(): AbortSignal {
    return this.#source.signal;
  }
  /** As it was asked for, with its query; in the process as it would be. */
  get uri(): string {
    return this.#uri ?? uriOf(this);
  }
  get path(): string {
    const { uri } = this;
    const mark = uri.indexOf('?');
    return mark < 0 ? uri : uri.slice(0, mark);
  }
  get dryRun(): boolean {
    return this.options.dryRun !== undefined && this.options.dryRun.length > 0;
  }
  /** Who owns the fields that are written when the request does not say: the first part of the user agent. */
  get fieldManager(): string {
    return this.options.fieldManager || managerOf(this.userAgent ?? '');
  }

  why(): string | undefined {
    return this.#source.why();
  }

  /** Adds a Warning header to the answer. */
  warn(message: string): void {
    this.#source.warn(message);
  }

  /** Adds to what an audit log keeps of the request. The first value stands. */
  annotate(key: string, value: string): void {
    this.annotations ??= {};
    if (Object.hasOwn(this.annotations, key) || Object.keys(this.annotations).length >= annotationsMax) return;
    put(this.annotations, key, value);
  }

  /** Adds to what an audit log keeps of the request where it keeps what was sent, too. The first value stands. */
  annotateDetail(key: string, value: () => string): void {
    this.details ??= {};
    if (Object.hasOwn(this.details, key) || Object.keys(this.details).length >= annotationsMax) return;
    put(this.details, key, value);
  }

  /** The same request for another target: one object of a collection. */
  aimedAt<U extends Target>(target: U): ApiRequest<U> {
    const { startMs, verb, options, body, user } = this;
    return new ApiRequest({ source: this.#source, startMs, verb, target, uri: this.#uri, options, body, user });
  }
}

function uriOf({ target, verb, options }: ApiRequest): string {
  if (target.type === 'nonResource' || target.type === 'backend' || target.type === 'backendCall') return target.path;
  if (target.type === 'connect') return pathOf(target.kind, target.at, target.subresource);
  if (target.type === 'unserved') return '';
  const { kind, namespace, name, subresource } = target;
  const query = new URLSearchParams(verb === 'watch' ? { watch: 'true' } : {});
  const { deletion: _, dryRun = [], ...words } = options;
  for (const [key, value] of Object.entries(words)) if (value !== undefined) query.set(key, String(value));
  for (const value of dryRun) query.append('dryRun', value);
  const path = pathOf(kind, { namespace, name }, subresource);
  return query.size > 0 ? `${path}?${query}` : path;
}
