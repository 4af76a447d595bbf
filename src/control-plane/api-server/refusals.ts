/** Refusals that name no object: the answers of the HTTP layer itself. Upstream: apimachinery/pkg/api/errors (NewGenericServerResponse). */
import { StatusError } from '../../api/meta/status-error.ts';

export const methodNotAllowed = (): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

export const unsupportedPatch = (): StatusError =>
  new StatusError({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} });

/** A JSON patch that can't be applied. */
export const unprocessable = (): StatusError =>
  new StatusError({ code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request', details: {} });
