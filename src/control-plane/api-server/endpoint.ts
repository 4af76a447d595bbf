/**
 * What hangs on the API server beside stored resources. Each is registered in one list at start; the server does
 * routing, authentication, authorization, limits and errors around all of them (chain.ts).
 */
import type { Duplex } from 'node:stream';
import type { Kind } from '../../api/meta/kind.ts';
import type { KubeObject, ObjectName } from '../../api/meta/object.ts';
import type { ApiRequest, ConnectTarget, PathTarget, ResourceRequest } from './api-request.ts';
import type { AdmissionRequest } from './request.ts';

/** A path that is no resource: discovery, OpenAPI, /version, health, metrics. */
export interface PathEndpoint {
  /** exact paths; a path that ends in `/*` takes everything below */
  readonly paths: readonly string[];
  handle(target: PathTarget, request: Pick<ApiRequest, 'user'>): PathResponse | Promise<PathResponse>;
}
export interface PathResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** An iterable is an answer that goes on: written piece by piece as its client takes them, and left when he goes. */
  readonly body: WholeBody | AsyncIterableIterator<string>;
}
type WholeBody = string | Uint8Array;
export const isWhole = (body: PathResponse['body']): body is WholeBody => typeof body === 'string' || body instanceof Uint8Array;

/**
 * A resource or subresource whose POST is answered by a function instead of the store: reviews, token, binding,
 * eviction. The body has been decoded, checked against its type and defaulted; mutating and validating admission ran.
 */
export interface FunctionEndpoint {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  handle(call: FunctionCall): Promise<KubeObject>;
}
/** A request for a function, and its body. */
export interface FunctionCall {
  readonly request: ResourceRequest;
  /** the named object, for subresources */
  readonly at: ObjectName;
  readonly body: KubeObject;
}

/** A resource whose objects are made when they are read (`isComputed`): get and list, by name and selectors. */
export interface ComputedResource {
  readonly group: string;
  readonly resource: string;
  list(): readonly KubeObject[];
}

/** The raw connection, and the first bytes after the request's head. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** A subresource that takes over the connection or streams an answer: log, exec, attach, portforward, proxy. */
export interface ConnectEndpoint {
  readonly resource: string;
  readonly subresource: string;
  readonly methods: readonly string[];
  /** Authorized and admitted already. */
  handle(target: ConnectTarget): Promise<void>;
}

/**
 * The last step before an object is stored, for what the server itself hands out (cluster IPs, node ports). Runs after
 * validation; `release` is called when the write then failed, and when an object that held something is gone.
 */
export interface Allocator {
  handles(kind: Kind): boolean;
  allocate(request: AdmissionRequest): KubeObject;
  release(object: KubeObject, old: KubeObject | undefined): void;
}
