/**
 * Answers of paths that are no resources: in the form that the client asks for, 304 for what it has already.
 */
import { own } from '../../../api/meta/words.ts';
import { encodeValue } from '../http/encode-value.ts';
import { negotiate } from '../http/negotiation.ts';
import type { NonResourceTarget } from '../request/api-request.ts';
import type { NonResourceResponse } from '../request/non-resource-endpoint.ts';

export const headerOf = (request: NonResourceTarget, name: string): string => {
  const value = own(request.headers, name);
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
};

/** A value as the client wants to read it. Throws NotAcceptable. */
export async function answer(request: NonResourceTarget, value: object): Promise<NonResourceResponse> {
  const { contentType, bytes } = await encodeValue(value, negotiate({ accept: headerOf(request, 'accept') }, { isDocument: true }));
  return { status: 200, headers: { 'cache-control': 'no-cache, private', 'content-type': contentType }, body: bytes };
}

export function text(status: number, body: string, more: Readonly<Record<string, string>> = {}): NonResourceResponse {
  return { status, headers: { 'cache-control': 'no-cache, private', 'content-type': 'text/plain; charset=utf-8', ...more }, body };
}

const noSniff = { 'x-content-type-options': 'nosniff' };

export const pathNotFound = (): NonResourceResponse => text(404, '404 page not found\n', noSniff);

/** Whether `If-None-Match` names the entity tag. */
export function isKnown(request: NonResourceTarget, etag: string): boolean {
  return headerOf(request, 'if-none-match')
    .split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}
