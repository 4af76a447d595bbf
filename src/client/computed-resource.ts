/**
 * A resource whose objects are made when they are read (`isComputed`): get and list, by name and selectors. They have no
 * revision, and nobody watches them. Some are the server's own; add-ons bring others while it runs.
 */
import type { Kind } from '../api/meta/kind.ts';
import type { KubeObject, ObjectName } from '../api/meta/object.ts';
import type { ListOptions } from './client.ts';

export interface ComputedResource {
  readonly kind: Kind;
  /** At least those that are asked for. */
  list(asked: Pick<ListOptions, 'namespace' | 'labelSelector'>): readonly KubeObject[] | Promise<readonly KubeObject[]>;
  /** Throws NotFound in its own words; absent: looked for in the list. */
  get?(at: ObjectName): Promise<KubeObject>;
}

/** Serves them from the next request on, until what comes back is disposed. */
export type ServeComputed = (resources: readonly ComputedResource[]) => Promise<AsyncDisposable>;
