/** Requests for paths that are no resources: found in one table, authorized by path, answered by their endpoint. */
import { errors } from '../../api/meta/status-error.ts';
import type { Authorize } from './authorization/decide.ts';
import { forbiddenError } from './authorization/forbidden.ts';
import type { PathEndpoint, PathRequest } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { UserInfo } from './request.ts';

const notModified = 304;
const noQuery = new URLSearchParams();

export class PathCalls {
  readonly #exact = new Map<string, PathEndpoint>();
  /** the longest first */
  readonly #below: (readonly [string, PathEndpoint])[] = [];
  readonly #authorize: Authorize;

  constructor(endpoints: readonly PathEndpoint[], authorize: Authorize) {
    this.#authorize = authorize;
    for (const endpoint of endpoints) {
      for (const path of endpoint.paths) {
        if (path.endsWith('/*')) this.#below.push([path.slice(0, -1), endpoint]);
        else this.#exact.set(path, endpoint);
      }
    }
    this.#below.sort(([a], [b]) => b.length - a.length);
  }

  /** Answers; undefined, or what is left to do: an answer that goes on. */
  async call(exchange: Exchange, user: UserInfo): Promise<(() => Promise<void>) | undefined> {
    const { method, path, query = noQuery, request } = exchange;
    const attributes = { user, verb: method.toLowerCase(), path };
    const decision = await this.#authorize(attributes);
    if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
    const endpoint = this.find(path);
    if (!endpoint) {
      this.sendNotFound(exchange);
      return undefined;
    }
    const { status, headers, body } = await endpoint.handle({ method, path, query, headers: request.headers, user });
    const { 'content-type': contentType = 'application/json', ...more } = lowerCased(headers);
    if (status === notModified) exchange.sendEmpty(status, more);
    else if (typeof body === 'string' || body instanceof Uint8Array) exchange.send(status, contentType, body, more);
    else return () => exchange.stream(status, contentType, body);
    return undefined;
  }

  /** For clients in the process; undefined when there is no such path. */
  async get(request: PathRequest): Promise<string | undefined> {
    const attributes = { user: request.user, verb: 'get', path: request.path };
    const decision = await this.#authorize(attributes);
    if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
    const answer = await this.find(request.path)?.handle(request);
    if (!answer) return undefined;
    const { body } = answer;
    if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body).toString();
    await body.return?.();
    throw errors.badRequest(`${request.path} goes on: read it over HTTP`);
  }

  find(path: string): PathEndpoint | undefined {
    return this.#exact.get(path) ?? this.#below.find(([prefix]) => path.startsWith(prefix))?.[1];
  }

  sendNotFound(exchange: Exchange): void {
    exchange.send(404, 'text/plain; charset=utf-8', '404 page not found\n', { 'x-content-type-options': 'nosniff' });
  }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
