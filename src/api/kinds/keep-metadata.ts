/** For a status that is written alone: metadata stays what it was, but for the version that the client names. Upstream: apimachinery's ResetObjectMetaForStatus. */
import type { KubeObject } from '../meta/object.ts';

/** What such a status never owns. */
export const statusAlone = { status: ['metadata', 'spec'] } as const;

export function keepMetadata<T extends KubeObject>(object: T, old: T): T {
  const { resourceVersion, managedFields } = object.metadata;
  const { resourceVersion: _version, managedFields: _fields, ...kept } = old.metadata;
  const metadata = { ...kept, ...(resourceVersion !== undefined && { resourceVersion }), ...(managedFields && { managedFields }) };
  return { ...object, metadata };
}
