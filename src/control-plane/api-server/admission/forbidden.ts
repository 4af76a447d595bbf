/** How a plugin refuses. Upstream: apiserver/pkg/admission/errors.go. */
import type { StatusCause } from '../../../api/generated/meta-v1.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { errors, StatusError } from '../../../api/meta/status-error.ts';
import type { AdmissionRequest } from '../request/request.ts';

type Refused = Pick<AdmissionRequest, 'kind' | 'name'> & { readonly object?: KubeObject | undefined };

/** `pods "web" is forbidden: <why>`. Where the object has no name yet, what it will be generated from. */
export function refused(request: Refused, why: string, causes: readonly StatusCause[] = []): StatusError {
  const error = errors.forbidden(request.kind, nameOf(request), why);
  if (causes.length === 0) return error;
  const { code, message, details } = error.status;
  return new StatusError({ code, reason: error.reason, message: message ?? '', details: { ...details, causes } });
}

function nameOf({ name, object }: Refused): string {
  return name || object?.metadata.name || object?.metadata.generateName || 'Unknown';
}
