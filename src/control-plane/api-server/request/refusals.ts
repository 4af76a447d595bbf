/**
 * Refusals of what breaks rules (Invalid), and those that name no object: the answers of the HTTP layer itself.
 * Upstream: apimachinery/pkg/api/errors (NewInvalid, NewGenericServerResponse).
 */
import type { Kind } from '../../../api/meta/kind.ts';
import { errors, type FieldError, StatusError } from '../../../api/meta/status-error.ts';

/** Throws Invalid when there is anything to report. */
export function refuse(kind: { readonly group: string; readonly kind: string }, name: string, found: readonly FieldError[]): void {
  if (found.length > 0) throw errors.invalid(kind, name, found);
}

/** The same for an object. A kind that is served in two groups (Event) is named by the one in which it is stored. */
export const refuseObject = ({ kind, storageVersion: { group } }: Kind, name: string, found: readonly FieldError[]): void =>
  refuse({ group, kind }, name, found);

export const methodNotAllowed = (): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

/** Of an API that another server answers for, and that can't be reached. Upstream: kube-aggregator/pkg/apiserver/handler_proxy.go. */
export const serviceUnavailable = 'service unavailable';

/** As Node's own word for a head that is too long. */
export const tooManyHeaders = (): StatusError =>
  new StatusError({ code: 431, reason: '', message: 'Request Header Fields Too Large', details: {} });

export const unsupportedPatch = (): StatusError =>
  new StatusError({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} });
