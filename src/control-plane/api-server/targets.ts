/**
 * What a request is for: its route looked up among the kinds, paths, functions and connections that are there. The one
 * place that knows all of them.
 */
import type { Backend } from '../../api/kinds/kind-snapshot.ts';
import type { KindRegistry } from '../../api/kinds/registry.ts';
import type { Kind } from '../../api/meta/kind.ts';
import type { KindRef } from '../../api/meta/object.ts';
import { errors } from '../../api/meta/status-error.ts';
import type {
  BackendTarget,
  ConnectEndpoint,
  Connection,
  ConnectTarget,
  FunctionEndpoint,
  NamedResource,
  PathTarget,
  ResourceTarget,
  Target,
  Upgrade,
} from './api-request.ts';
import type { PathEndpoint } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { serviceUnavailable } from './refusals.ts';
import type { ResourceRoute } from './route.ts';

export interface TargetTables {
  readonly registry: KindRegistry;
  readonly functions: readonly FunctionEndpoint[];
  readonly paths: readonly PathEndpoint[];
  readonly connections: readonly ConnectEndpoint[];
}

/** A GET that upgrades one of these asks for what a POST of it would, and needs the same right: a kubelet runs commands. */
const upgradesNeedCreate = new Set(['pods/exec', 'pods/attach', 'pods/portforward', 'nodes/proxy']);
/** `/apis/GROUP/VERSION/…` */
const stepsOfGroupVersion = 4;
const noQuery = new URLSearchParams();

export class Targets {
  readonly registry: KindRegistry;
  readonly #functions = new Map<string, FunctionEndpoint>();
  readonly #connections = new Map<string, ConnectEndpoint>();
  readonly #exact = new Map<string, PathEndpoint>();
  /** the longest first */
  readonly #below: (readonly [string, PathEndpoint])[] = [];

  constructor({ registry, functions, paths, connections }: TargetTables) {
    this.registry = registry;
    for (const each of functions) this.#functions.set(keyOf(each.group, each.resource, each.subresource), each);
    for (const each of connections) this.#connections.set(`${each.resource}/${each.subresource}`, each);
    for (const endpoint of paths) {
      for (const path of endpoint.paths) {
        if (path.endsWith('/*')) this.#below.push([path.slice(0, -1), endpoint]);
        else this.#exact.set(path, endpoint);
      }
    }
    this.#below.sort(([a], [b]) => b.length - a.length);
  }

  /** Of a request in the process. Throws NotFound for what is no kind, ServiceUnavailable for what another server answers. */
  inProcess(ref: KindRef, verb: string, at: Partial<Pick<ResourceTarget, 'namespace' | 'name' | 'subresource'>>): ResourceTarget {
    const served = this.registry.current;
    const kind = served.byResource(ref.group, ref.version, ref.resource);
    if (!kind) throw served.backend(ref.group, ref.version) ? errors.serviceUnavailable(serviceUnavailable) : errors.pathNotFound();
    return this.#resource(kind, verb, { ...at, namespace: kind.namespaced ? at.namespace : undefined });
  }

  /** Of a request over the wire whose path has the form of a resource's. */
  ofRoute(route: ResourceRoute, exchange: Exchange, upgrade: Upgrade | undefined): Exclude<Target, PathTarget> {
    const { group, version, resource, namespace, name, subresource, verb } = route;
    const served = this.registry.current;
    const kind = served.byResource(group, version, resource);
    if (!kind) {
      const named = { group, version, resource, subresource, namespace, name };
      const backend = served.backend(group, version);
      if (backend) return backendTarget(backend, named, connectionOf(exchange, upgrade), exchange.path);
      return { type: 'unserved', resource: named, isInBuiltInGroup: served.isBuiltIn(group) };
    }
    const endpoint = group === '' && subresource ? this.#connections.get(`${resource}/${subresource}`) : undefined;
    if (endpoint && !isMisplaced(route, kind.namespaced)) return connectTarget(route, { kind, endpoint, exchange, upgrade });
    return this.#resource(kind, verb, { namespace, name, subresource });
  }

  /** Of a request over the wire for any other path. */
  ofPath(exchange: Exchange, upgrade: Upgrade | undefined): PathTarget | BackendTarget {
    const [, root, group = '', version = ''] = exchange.path.split('/', stepsOfGroupVersion);
    const backend = root === 'apis' ? this.registry.current.backend(group, version) : undefined;
    if (backend) return backendTarget(backend, undefined, connectionOf(exchange, upgrade), exchange.path);
    return pathTarget(exchange);
  }

  path(path: string): PathEndpoint | undefined {
    return this.#exact.get(path) ?? this.#below.find(([prefix]) => path.startsWith(prefix))?.[1];
  }

  #resource(
    kind: Kind,
    verb: string,
    { namespace, name, subresource }: Partial<Pick<ResourceTarget, 'namespace' | 'name' | 'subresource'>>,
  ): ResourceTarget {
    const answeredBy = verb === 'create' ? this.#functions.get(keyOf(kind.group, kind.resource, subresource)) : undefined;
    return {
      type: 'resource',
      kind,
      namespace: namespace || undefined,
      name: name || undefined,
      subresource: subresource || undefined,
      answeredBy,
    };
  }
}

function pathTarget({ method, path, query = noQuery, request }: Exchange): PathTarget {
  return { type: 'path', method, path, query, headers: request.headers };
}

/** A name of a namespaced resource without its namespace, a namespace for a resource that has none, a create across all namespaces. */
export function isMisplaced(route: Pick<ResourceRoute, 'namespace' | 'name' | 'verb'>, namespaced: boolean): boolean {
  if (!namespaced) return route.namespace !== undefined;
  return route.namespace === undefined && (route.name !== undefined || (route.verb !== 'list' && route.verb !== 'watch'));
}

function connectTarget(
  { verb, resource, namespace, name = '', subresource = '', rest }: ResourceRoute,
  given: { readonly kind: Kind; readonly endpoint: ConnectEndpoint; readonly exchange: Exchange; readonly upgrade: Upgrade | undefined },
): ConnectTarget {
  const { kind, endpoint, exchange, upgrade } = given;
  const alsoNeeds = upgrade && verb === 'get' && upgradesNeedCreate.has(`${resource}/${subresource}`) ? 'create' : undefined;
  const at = { ...(namespace !== undefined && { namespace }), name };
  return { ...connectionOf(exchange, upgrade), type: 'connect', kind, at, subresource, rest, endpoint, alsoNeeds };
}

function backendTarget(backend: Backend, resource: NamedResource | undefined, connection: Connection, path: string): BackendTarget {
  return { ...connection, type: 'backend', backend, resource, path };
}

function connectionOf(exchange: Exchange, upgrade: Upgrade | undefined): Connection {
  const { query = noQuery, request, response, signal } = exchange;
  return { query, request, response: upgrade ? undefined : response, upgrade, signal, began: (code) => exchange.began(code) };
}

const keyOf = (group: string, resource: string, subresource: string | undefined): string => `${group}/${resource}/${subresource ?? ''}`;
