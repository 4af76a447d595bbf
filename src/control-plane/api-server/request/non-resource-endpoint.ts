/**
 * What hangs on the API server beside stored resources, create endpoints and connections (api-request.ts). Each is registered in
 * one list at start; the server does routing, authentication, authorization, limits and errors around all of them (chain.ts).
 */
import { errors } from '../../../api/meta/status-error.ts';
import type { ApiRequest, NonResourceTarget } from './api-request.ts';
import { groups } from './user.ts';

/** A path that is no resource (RBAC: nonResourceURLs): discovery, OpenAPI, /version, health, metrics. */
export interface NonResourceEndpoint {
  /** exact paths; a path that ends in `/*` takes everything below */
  readonly paths: readonly string[];
  handle(target: NonResourceTarget, request: Pick<ApiRequest, 'user'>): NonResourceResponse | Promise<NonResourceResponse>;
}
export interface NonResourceResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** An iterable is an answer that goes on: written piece by piece as its client takes them, and left when he goes. */
  readonly body: WholeBody | AsyncIterableIterator<string>;
}
/** The same for administrators alone, whatever roles say of the paths: a role may name any. */
export const forAdministrators = ({ paths, handle }: NonResourceEndpoint): NonResourceEndpoint => ({
  paths,
  handle(target, request) {
    if (!request.user.groups.includes(groups.masters))
      throw errors.forbidden({ group: '', resource: '' }, '', `${target.path} is for administrators (${groups.masters})`);
    return handle(target, request);
  },
});

type WholeBody = string | Uint8Array;
export const isWhole = (body: NonResourceResponse['body']): body is WholeBody => typeof body === 'string' || body instanceof Uint8Array;

/** A page of plain text, as Go's servers write one. */
export function textPage(
  status: number,
  text: string,
): { readonly type: 'page'; readonly code: number; readonly page: NonResourceResponse } {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
  return { type: 'page', code: status, page: { status, headers, body: `${text}\n` } };
}
