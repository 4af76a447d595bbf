/**
 * From a request's method and path to what it is about: a resource (the form of its URL is the same for all of them) or
 * a path. Knows nothing of which resources exist.
 * Upstream: apiserver/pkg/endpoints/request/requestinfo.go.
 */
import { own } from '../../../api/meta/words.ts';
import { isTrue } from '../request/query-boolean.ts';
import type { RequestVerb } from '../request/request.ts';

export interface ResourceRoute {
  readonly type: 'resource';
  /** empty for a method that no resource has, as OPTIONS; what is behind a proxy may understand it */
  readonly verb: Exclude<RequestVerb, 'connect'> | '';
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** what follows the subresource, with its slash: `/x/y` */
  readonly rest: string;
}

export type Route = ResourceRoute | { readonly type: 'nonResource' };

const pathRoute: Route = { type: 'nonResource' };
const verbs: Readonly<Record<string, ResourceRoute['verb']>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** What may follow the name of a namespace without being a resource in it. */
const namespaceSubresources = new Set(['status', 'finalize']);

/** Resource, name, subresource. */
const ownSteps = 3;
/** `/apis/GROUP/VERSION/watch/namespaces/NAMESPACE/…`, and before the first slash nothing. */
const stepsMax = 7 + ownSteps;

/** `path` is still percent-encoded. Throws URIError for a malformed one. */
export function parseRoute(method: string, path: string, query: URLSearchParams | undefined): Route {
  if (!path.startsWith('/api')) return pathRoute;
  const whole = path.endsWith('/') ? path.slice(0, -1) : path;
  // What follows them is one text, however many steps it has.
  const parts = whole.split('/', stepsMax);
  let at: number;
  let group = '';
  if (parts[1] === 'api') at = 2;
  else if (parts[1] === 'apis') {
    group = parts[2] ?? '';
    at = 3;
  } else return pathRoute;
  const version = parts[at++];
  if (!version || parts.length <= at) return pathRoute;
  const isWatchPath = parts[at] === 'watch' && parts.length > at + 1;
  if (isWatchPath) at++;
  const steps = parts.slice(at).map(decode);
  const isNamespaced = steps[0] === 'namespaces' && steps.length > 2 && !namespaceSubresources.has(steps[2] ?? '');
  const end = at + (isNamespaced ? 2 : 0) + ownSteps;
  const rest = decode(whole.slice(parts.slice(0, end).join('/').length));
  return resourceRoute({ method, parts: steps, group: decode(group), version: decode(version), isWatchPath, isNamespaced, rest, query });
}

function resourceRoute(given: {
  method: string;
  parts: readonly string[];
  group: string;
  version: string;
  isWatchPath: boolean;
  isNamespaced: boolean;
  rest: string;
  query: URLSearchParams | undefined;
}): Route {
  const { parts, group, version, isWatchPath, isNamespaced, rest, query } = given;
  const namespace = isNamespaced ? parts[1] : undefined;
  const [resource = '', name, subresource] = isNamespaced ? parts.slice(2) : parts;
  const verb = own(verbs, given.method) ?? '';
  if (!resource) return pathRoute;
  const route = {
    type: 'resource' as const,
    group,
    version,
    resource,
    namespace: namespace || undefined,
    name: name || undefined,
    subresource: subresource || undefined,
    rest,
  };
  if (verb === 'get' && (isWatchPath || (!name && isTrue(query?.get('watch'))))) return { ...route, verb: 'watch' };
  if (!name && verb === 'get') return { ...route, verb: 'list' };
  if (!name && verb === 'delete') return { ...route, verb: 'deletecollection' };
  return { ...route, verb };
}

const decode = (part: string): string => (part.includes('%') ? decodeURIComponent(part) : part);
