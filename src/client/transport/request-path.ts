/** The URLs of the API: paths of objects and collections, and what options become in a query or a body. */
import { apiVersionOf, type KindRef, type ObjectName } from '../../api/meta/object.ts';
import type { DeleteRequest, WriteOptions } from '../client.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Without a name: the collection's path. */
export function pathOf(
  kind: KindRef,
  at: { readonly [Part in keyof ObjectName]?: ObjectName[Part] | undefined },
  subresource?: string,
): string {
  const parts = [
    kind.group ? 'apis' : 'api',
    ...apiVersionOf(kind).split('/'),
    ...(kind.namespaced && at.namespace ? ['namespaces', at.namespace] : []),
    kind.resource,
    ...(at.name ? [at.name] : []),
    ...(subresource?.split('/') ?? []),
  ];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

export const queryOf = ({ dryRun, fieldManager, fieldValidation }: WriteOptions): Query => ({
  dryRun: dryRun ? 'All' : undefined,
  fieldManager,
  fieldValidation,
});

export const deleteOptionsOf = ({ signal: _, why: _why, dryRun, ...options }: DeleteRequest) => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  ...options,
  ...(dryRun && { dryRun: ['All'] }),
});
