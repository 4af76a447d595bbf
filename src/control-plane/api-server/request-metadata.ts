/** What the URL says of an object's metadata, and what only the server may say. */
import type { KubeObject } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type { ResourceRequest } from './api-request.ts';

/** The namespace of the URL; nothing that only the server may say. */
export function withRequestMetadata(object: KubeObject, request: ResourceRequest): KubeObject {
  const {
    uid: _uid,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    selfLink: _link,
    managedFields: _managed,
    namespace: given,
    ...metadata
  } = object.metadata;
  const namespace = expectedNamespace(request, given);
  return { ...object, metadata: { ...metadata, ...(namespace && { namespace }) } };
}

/** The namespace that an object of this request has; throws when the object says another one. */
export function expectedNamespace(request: ResourceRequest, given: string | undefined): string | undefined {
  if (!request.target.kind.namespaced) return undefined;
  if (given && request.target.namespace && given !== request.target.namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return request.target.namespace ?? given;
}
