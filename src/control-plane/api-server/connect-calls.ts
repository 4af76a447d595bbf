/**
 * Subresources that take over the connection or stream their answer: log, exec, attach, portforward, proxy. The server
 * authorizes and admits, the endpoint does the rest.
 * Upstream: apiserver/pkg/endpoints/handlers/rest.go (ConnectResource), pkg/registry/core/pod/rest/subresources.go.
 */

import type { Kind } from '../../api/meta/kind.ts';
import { errors } from '../../api/meta/status-error.ts';
import { own, put } from '../../api/meta/words.ts';
import type { GroupVersionKind } from '../../api/schema/types.ts';
import type { AdmissionChain } from './admission-chain.ts';
import type { Authorize } from './authorization/decide.ts';
import { forbiddenError } from './authorization/forbidden.ts';
import type { ConnectEndpoint, Upgrade } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { AdmissionRequest, UserInfo } from './request.ts';
import type { ResourceRoute } from './route.ts';

export interface ConnectCall {
  readonly exchange: Exchange;
  readonly route: ResourceRoute;
  readonly kind: Kind;
  readonly user: UserInfo;
  readonly upgrade: Upgrade | undefined;
}

/** A GET that upgrades one of these asks for what a POST of it would, and needs the same right: a kubelet runs commands. */
const upgradesNeedCreate = new Set(['pods/exec', 'pods/attach', 'pods/portforward', 'nodes/proxy']);
const noQuery = new URLSearchParams();

export class ConnectCalls {
  readonly #endpoints = new Map<string, ConnectEndpoint>();
  readonly #authorize: Authorize;
  readonly #admission: AdmissionChain;

  constructor(endpoints: readonly ConnectEndpoint[], authorize: Authorize, admission: AdmissionChain) {
    for (const endpoint of endpoints) this.#endpoints.set(`${endpoint.resource}/${endpoint.subresource}`, endpoint);
    this.#authorize = authorize;
    this.#admission = admission;
  }

  handles(route: ResourceRoute): boolean {
    return route.subresource !== undefined && route.group === '' && this.#endpoints.has(`${route.resource}/${route.subresource}`);
  }

  async call({ exchange, route, kind, user, upgrade }: ConnectCall): Promise<void> {
    const { subresource = '', namespace, name = '', rest } = route;
    const endpoint = this.#endpoints.get(`${route.resource}/${subresource}`);
    await this.#check(route, route.verb, user, exchange.path);
    if (upgrade && route.verb === 'get' && upgradesNeedCreate.has(`${route.resource}/${subresource}`))
      await this.#check(route, 'create', user, exchange.path);
    if (!endpoint?.methods.includes(exchange.method)) throw errors.methodNotAllowed(kind, exchange.method.toLowerCase());
    const options = optionsOf(exchange.query, own(kind.subresources, subresource)?.kind);
    const admission: AdmissionRequest = {
      operation: 'CONNECT',
      kind,
      subresource,
      ...(namespace !== undefined && { namespace }),
      name,
      user,
      options,
      dryRun: false,
      warn: (message) => exchange.warn(message),
    };
    await this.#admission.admitOperation(admission);
    await this.#admission.validate(admission);
    await endpoint.handle({
      at: { ...(namespace !== undefined && { namespace }), name },
      rest,
      query: exchange.query ?? noQuery,
      user,
      request: exchange.request,
      ...(upgrade ? { upgrade } : { response: exchange.response }),
      signal: exchange.signal,
    });
  }

  async #check(route: ResourceRoute, verb: string, user: UserInfo, path: string): Promise<void> {
    const { type: _, rest: _rest, verb: _verb, ...resource } = route;
    const attributes = { user, verb, path, resource };
    const decision = await this.#authorize(attributes);
    if (decision.verdict !== 'allow') throw forbiddenError(attributes, decision.reason);
  }
}

/** PodExecOptions and the like, as admission sees them: one value per parameter, lists where there are several. */
function optionsOf(query: URLSearchParams | undefined, kind: GroupVersionKind | undefined): unknown {
  const options: Record<string, unknown> = kind
    ? { kind: kind.kind, apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version }
    : {};
  for (const name of new Set(query?.keys() ?? [])) {
    const values = query?.getAll(name) ?? [];
    put(options, name, values.length > 1 ? values : values[0]);
  }
  return options;
}
