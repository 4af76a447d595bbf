/** The name and namespace in an object are those of the URL. Upstream: apiserver/pkg/endpoints/handlers/rest.go (checkName), registry/rest/create.go. */
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type { ResourceRequest } from '../request/api-request.ts';

export function checkName(object: KubeObject, request: ResourceRequest): void {
  const { name = '' } = request.target;
  const given = object.metadata.name ?? '';
  expectedNamespace(request, object.metadata.namespace);
  if (!given) throw errors.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (given !== name) throw errors.badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** The namespace that an object of this request has; throws when the object says another one. */
export function expectedNamespace(request: ResourceRequest, given: string | undefined): string | undefined {
  if (!request.target.kind.namespaced) return undefined;
  if (given && request.target.namespace && given !== request.target.namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  return request.target.namespace ?? given;
}
