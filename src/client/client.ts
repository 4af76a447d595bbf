/**
 * How every component talks to the API. Two implementations behave alike: in-process (`ApiServer.clientFor(identity)`,
 * which goes through the same chain without HTTP) and over HTTPS (`createHTTPClient`). Failures are `StatusError`s
 * from both.
 *
 * Guarantees: a write that resolved is durable, and every later read of the same client sees it. Objects are read-only;
 * in-process readers share the very objects of the server's watch cache.
 */
import type { DeleteOptions, Status } from '../api/generated/meta-v1.ts';
import type { KindRef, KubeObject, ListOf, New, ObjectName } from '../api/meta/object.ts';
import type { PatchType } from '../api/schema/patch.ts';
import type { Informer, InformerOptions } from './informers/informer.ts';

export interface GetOptions {
  readonly resourceVersion?: string | undefined;
  /** `scale`, … : read this part of the object */
  readonly subresource?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** absent: all namespaces */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Events after this one. Absent or '0': first an ADDED for everything that exists. */
  readonly resourceVersion?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** only metadata.resourceVersion (and annotations) are meant */
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject };

export interface WriteOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
  /** `status`, `scale`, … : write this part of the object only */
  readonly subresource?: string | undefined;
  /** for people who look on (acts.ts); asked for when somebody does */
  readonly why?: (() => string) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Patch {
  readonly type: PatchType;
  readonly body: unknown;
  /** apply only: take over fields that others own */
  readonly force?: boolean;
}

export interface DeleteRequest extends Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy' | 'preconditions'> {
  readonly dryRun?: boolean | undefined;
  readonly why?: (() => string) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RawOptions {
  readonly accept?: string | undefined;
}

export interface Client {
  get<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(kind: KindRef<T>, options?: ListOptions): Promise<ListOf<T>>;
  /**
   * Ends normally at its `timeoutSeconds`. Without, it has no end in process; over HTTPS the server ends it normally
   * after 30 to 60 minutes, or when it stops. Whatever else ends it is thrown: what the server reports as a StatusError
   * (410 Expired; in process 503 when it stops), the reason of the signal. An informer goes on by itself.
   */
  watch<T extends KubeObject>(kind: KindRef<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(kind: KindRef<T>, object: New<T>, options?: WriteOptions): Promise<T>;
  /** Fails with Conflict when `metadata.resourceVersion` is given and is not the current one. */
  update<T extends KubeObject>(kind: KindRef<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, patch: Patch, options?: WriteOptions): Promise<T>;
  /** The object when it stays for a while (finalizers, grace period), else a Status. */
  delete<T extends KubeObject>(kind: KindRef<T>, at: ObjectName, options?: DeleteRequest): Promise<T | Status>;
  deleteCollection(kind: KindRef, selection: ListOptions, options?: DeleteRequest): Promise<void>;
  /** POST to a subresource that takes another kind: `binding`, `eviction`, `token`. */
  post<R = unknown>(kind: KindRef, at: ObjectName, subresource: string, body: unknown, options?: WriteOptions): Promise<R>;
  /** GET of any path, as JSON: discovery, /version, what another server answers for. `accept`: in which form of it, default `application/json`. */
  raw<R = unknown>(path: string, options?: RawOptions): Promise<R>;
  /**
   * A cache of one kind, kept current. Asked twice with the same kind and selection, a client gives the same informer;
   * it starts on first use and stops with the client.
   */
  informer<T extends KubeObject>(kind: KindRef<T>, options?: InformerOptions): Informer<T>;
  /** Stops informers and closes connections. */
  [Symbol.asyncDispose](): Promise<void>;
}
