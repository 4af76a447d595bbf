/**
 * Namespaces are deleted in their own way: a delete only marks them Terminating, the namespace controller empties them
 * and then takes itself out of spec.finalizers through the `finalize` subresource.
 * Upstream: pkg/registry/core/namespace/storage/storage.go.
 */

import type { Kind } from '../../../api/meta/kind.ts';
import type { KubeObject } from '../../../api/meta/object.ts';

type NamespaceFields = KubeObject & {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: string };
};

export const isNamespaceKind = (kind: Kind): boolean => kind.resource === 'namespaces' && kind.group === '';

/** Whether the object is a namespace that its controller has not let go yet. */
export function holdsNamespace(object: KubeObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false;
  return ((object as NamespaceFields).spec?.finalizers?.length ?? 0) > 0;
}

export function markTerminating(object: KubeObject): KubeObject {
  const status = { ...(object as NamespaceFields).status, phase: 'Terminating' };
  return { ...object, status } as KubeObject;
}
