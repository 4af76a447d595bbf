/** What a refused user is told. Upstream: apiserver/pkg/endpoints/handlers/responsewriters/errors.go. */

import { errors, type StatusError } from '../../../api/meta/status-error.ts';
import { own } from '../../../api/meta/words.ts';
import type { RequestAttributes } from '../request/request.ts';

export function forbiddenError(attributes: RequestAttributes, reason: string): StatusError {
  const { resource } = attributes;
  const message = describeDenied(attributes).replace(/[&<>]/g, (character) => own(escapes, character) ?? character);
  const why = reason ? `${message}: ${reason}` : message;
  const error = errors.forbidden(resource ?? { group: '', resource: '' }, resource?.name ?? '', why);
  error.refusedBy = 'authorization';
  return error;
}

/** Errors are not to look like HTML. */
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const quote = (text: string): string => JSON.stringify(text);

function describeDenied({ user, verb, resource, path }: RequestAttributes): string {
  if (!resource) return `User ${quote(user.name)} cannot ${verb} path ${quote(path)}`;
  const name = resource.subresource ? `${resource.resource}/${resource.subresource}` : resource.resource;
  const where = resource.namespace ? `in the namespace ${quote(resource.namespace)}` : 'at the cluster scope';
  return `User ${quote(user.name)} cannot ${verb} resource ${quote(name)} in API group ${quote(resource.group)} ${where}`;
}
