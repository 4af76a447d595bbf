/** The request as admission plugins see it. */
import type { AdmissionOperation, AdmissionRequest } from './request.ts';
import type { ResourceRequest } from './resource-request.ts';

export function admissionRequest(request: ResourceRequest, operation: AdmissionOperation, name: string, dryRun: boolean): AdmissionRequest {
  const { kind, subresource, user } = request;
  const namespace = namespaceOf(request, name);
  return {
    operation,
    kind,
    ...(subresource && { subresource }),
    ...(namespace !== undefined && { namespace }),
    name,
    user,
    dryRun,
    warn: (message) => request.warn(message),
  };
}

/** The namespace that authorization and admission see: a Namespace is in itself. */
export function namespaceOf(request: Pick<ResourceRequest, 'kind' | 'namespace'>, name: string | undefined): string | undefined {
  return request.kind.resource === 'namespaces' && request.kind.group === '' ? name : request.namespace;
}
