/** The request as admission plugins see it. */

import type { ResourceRequest } from '../request/api-request.ts';
import { namespaceOf } from '../request/attributes.ts';
import type { AdmissionOperation, AdmissionRequest } from '../request/request.ts';
import { isLarge } from '../request/yield-turn.ts';

export function admissionRequest(request: ResourceRequest, operation: AdmissionOperation, name: string, dryRun: boolean): AdmissionRequest {
  const { user, target } = request;
  const { kind, subresource } = target;
  const namespace = namespaceOf(target, name);
  return {
    operation,
    kind,
    subresource,
    namespace,
    name,
    user,
    dryRun,
    isLarge: isLarge(request),
    query: request.options,
    signal: request.signal,
    warn: (message) => request.warn(message),
    annotate: (key, value) => request.annotate(key, value),
    annotateDetail: (key, value) => request.annotateDetail(key, value),
  };
}
