/**
 * Answers of paths that are no resources: JSON by default, YAML where asked for, 406 for what can't be given, 304 for
 * what the client has already.
 */
import { StatusError } from '../../../api/meta/status-error.ts';
import type { PathRequest, PathResponse } from '../endpoint.ts';

export const headerOf = (request: PathRequest, name: string): string => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
};

/** One wish of an Accept header: `application/json;as=Table` is a type with parameters. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The wishes of an Accept header, the strongest first; none means anything. */
export function parseAccept(accept: string): readonly MediaRange[] {
  const ranges = accept.split(',').flatMap((part) => {
    const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters = Object.fromEntries(rest.map((piece) => piece.split('=', 2) as [string, string]));
    return type ? [{ type, parameters, weight: Number(parameters['q'] ?? 1) }] : [];
  });
  return ranges.sort((a, b) => b.weight - a.weight);
}

const isJson = (type: string): boolean => type === 'application/json' || type === 'application/*' || type === '*/*';

/** `json`, `yaml`, or undefined when the client takes neither. */
function chooseFormat(request: PathRequest): 'json' | 'yaml' | undefined {
  const ranges = parseAccept(headerOf(request, 'accept'));
  if (!ranges.length) return 'json';
  for (const { type, parameters } of ranges) {
    if (parameters['as'] !== undefined) continue;
    if (isJson(type)) return 'json';
    if (type === 'application/yaml') return 'yaml';
  }
  return undefined;
}

const representations = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

function notAcceptable(request: PathRequest): StatusError {
  const wantsForm = headerOf(request, 'accept').includes('as=');
  const message = wantsForm
    ? `only the following media types are accepted: ${representations}`
    : `406: Not Acceptable\n\nAvailable representations: ${representations}`;
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, ...(!wantsForm && { details: {} }) });
}

/** A value as the client wants to read it. Throws NotAcceptable. */
export async function answer(request: PathRequest, value: object): Promise<PathResponse> {
  const format = chooseFormat(request);
  if (format === undefined) throw notAcceptable(request);
  const headers = { 'cache-control': 'no-cache, private' };
  if (format === 'json')
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
  const { stringify } = await import('yaml');
  return { status: 200, headers: { ...headers, 'content-type': 'application/yaml' }, body: stringify(value, { sortMapEntries: true }) };
}

export function text(status: number, body: string, more: Readonly<Record<string, string>> = {}): PathResponse {
  return { status, headers: { 'cache-control': 'no-cache, private', 'content-type': 'text/plain; charset=utf-8', ...more }, body };
}

const noSniff = { 'x-content-type-options': 'nosniff' };

export const pathNotFound = (): PathResponse => text(404, '404 page not found\n', noSniff);

/** Whether `If-None-Match` names the entity tag. */
export function isKnown(request: PathRequest, etag: string): boolean {
  return headerOf(request, 'if-none-match')
    .split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}
