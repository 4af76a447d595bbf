/** Refusals that name no object: the answers of the HTTP layer itself. Upstream: apimachinery/pkg/api/errors (NewGenericServerResponse). */
import { StatusError } from '../../api/meta/status-error.ts';

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
