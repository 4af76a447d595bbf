/**
 * The shape that every API object shares, and how a kind is addressed.
 *
 * Objects are deeply read-only: caches hand out the very object they hold, so whoever wants to change one makes a new
 * one. Objects that came from the server have uid, resourceVersion and creationTimestamp; `New<T>` is what a client
 * sends to create one.
 */
import type { ListMeta, ObjectMeta } from '../generated/meta-v1.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object of a kind that is known only at run time (custom resources, generic controllers). */
export interface UnknownObject extends KubeObject {
  readonly [field: string]: unknown;
}

/**
 * How a kind is addressed: enough to build its URL, with the object's type as a phantom. The constants are in
 * `../generated/kinds.ts`; custom resources make theirs at run time.
 */
export interface KindRef<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** plural, lower case, as in the URL */
  readonly resource: string;
  readonly namespaced: boolean;
  /** never present: it only carries T */
  readonly phantom?: T;
}

/** What a client sends to create a T: the server fills in the rest. */
export type New<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status' | 'spec'> & {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
} & (T extends { readonly spec: infer S } ? { readonly spec: S } : { readonly spec?: unknown }) &
  (T extends { readonly status: infer S } ? { readonly status?: S } : { readonly status?: unknown });

export interface ListOf<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** Where an object is: cluster-scoped kinds have no namespace. */
export interface ObjectName {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key of work queues and informers. */
export type ObjectKey = string;

export function keyOf(object: { readonly metadata: Partial<ObjectName> }): ObjectKey {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name ?? ''}` : (name ?? '');
}

export function parseKey(key: ObjectKey): ObjectName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Whether it is that one, in whatever version. */
export const isKind = (kind: Pick<KindRef, 'group' | 'resource'>, of: Pick<KindRef, 'group' | 'resource'>): boolean =>
  kind.group === of.group && kind.resource === of.resource;

/** `v1`, `apps/v1`: the apiVersion of a kind. */
export function apiVersionOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/** `apps/v1` is of `apps`, `v1` of the core group. */
export const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')));

/** Of both `v1`. */
export const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);
