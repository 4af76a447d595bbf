/**
 * What a request is for: its route looked up among the kinds, paths, create endpoints and connections that are there. The one
 * place that knows all of them.
 */
import type { Backend } from '../../../api/kinds/kind-snapshot.ts';
import type { KindRegistry } from '../../../api/kinds/registry.ts';
import { isCustom, type Kind } from '../../../api/meta/kind.ts';
import type { KindRef } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import type {
  BackendTarget,
  ConnectEndpoint,
  Connection,
  ConnectTarget,
  CreateEndpoint,
  NamedResource,
  NonResourceTarget,
  ReadingTarget,
  ResourceTarget,
  Target,
  Upgrade,
} from '../request/api-request.ts';
import type { NonResourceEndpoint } from '../request/non-resource-endpoint.ts';
import { serviceUnavailable } from '../request/refusals.ts';
import type { ResourceRoute } from './route.ts';

export interface TargetTables {
  readonly registry: KindRegistry;
  readonly createEndpoints: readonly CreateEndpoint[];
  readonly paths: readonly NonResourceEndpoint[];
  readonly connections: readonly ConnectEndpoint[];
  /** Of a resource that is not served: resolves when it may be. Undefined: nobody has defined it. */
  coming(resource: Pick<NamedResource, 'group' | 'resource'>): Promise<void> | undefined;
}

/** A request as its first line and headers came over the wire (http/exchange.ts). */
export interface Received extends Pick<Connection, 'request' | 'signal' | 'began'> {
  readonly method: string;
  /** still percent-encoded */
  readonly path: string;
  readonly query: URLSearchParams | undefined;
  readonly response: NonNullable<Connection['response']>;
}

/** A GET that upgrades one of these asks for what a POST of it would, and needs the same right: a kubelet runs commands. */
const upgradesNeedCreate = new Set(['pods/exec', 'pods/attach', 'pods/portforward', 'nodes/proxy']);
/** `/apis/GROUP/VERSION/…` */
const stepsOfGroupVersion = 4;
const openAPIPrefix = '/openapi/v3';
const noQuery = new URLSearchParams();

export class Targets {
  readonly registry: KindRegistry;
  readonly #createEndpoints = new Map<string, CreateEndpoint>();
  readonly #connections = new Map<string, ConnectEndpoint>();
  readonly coming: TargetTables['coming'];
  readonly #exact = new Map<string, NonResourceEndpoint>();
  /** the longest first */
  readonly #below: (readonly [string, NonResourceEndpoint])[] = [];

  constructor({ registry, createEndpoints, paths, connections, coming }: TargetTables) {
    this.registry = registry;
    this.coming = coming;
    for (const each of createEndpoints) this.#createEndpoints.set(keyOf(each.group, each.resource, each.subresource), each);
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

  /** Of a GET in the process: a subresource that would take over the connection. Undefined: it is none that can be read. */
  reading({ group, version, resource, namespace, name, subresource, rest }: ResourceRoute): ReadingTarget | undefined {
    const kind = this.registry.current.byResource(group, version, resource);
    const endpoint = group === '' && subresource ? this.#connections.get(`${resource}/${subresource}`) : undefined;
    const read = endpoint?.read;
    if (!kind || !read || name === undefined) return undefined;
    return { type: 'reading', kind, namespace, name, subresource, read: (signal) => read({ namespace, name }, rest, signal) };
  }

  /** Of a request over the wire whose path has the form of a resource's. */
  ofRoute(route: ResourceRoute, received: Received, upgrade: Upgrade | undefined): Exclude<Target, NonResourceTarget> {
    const { group, version, resource, namespace, name, subresource, verb } = route;
    const served = this.registry.current;
    const kind = served.byResource(group, version, resource);
    // What is of another scope than a custom resource is none of its paths.
    if (!kind || (isCustom(kind) && isMisplaced(route, kind.namespaced))) {
      const named = { group, version, resource, subresource, namespace, name };
      const backend = served.backend(group, version);
      if (backend) return backendTarget(backend, named, connectionOf(received, upgrade), received.path);
      return { type: 'unserved', resource: named, isInBuiltInGroup: served.isBuiltIn(group) };
    }
    const endpoint = group === '' && subresource ? this.#connections.get(`${resource}/${subresource}`) : undefined;
    if (endpoint && !isMisplaced(route, kind.namespaced)) return connectTarget(route, { kind, endpoint, received, upgrade });
    return this.#resource(kind, verb, { namespace, name, subresource });
  }

  /** Of a request over the wire for any other path. */
  ofPath(received: Received, upgrade: Upgrade | undefined): NonResourceTarget | BackendTarget {
    // Its OpenAPI document, too, is another server's to give.
    const { path } = received;
    const place = path.startsWith(openAPIPrefix) ? path.slice(openAPIPrefix.length) : path;
    const [, root, group = '', version = ''] = place.split('/', stepsOfGroupVersion);
    const backend = root === 'apis' ? this.registry.current.backend(group, version) : undefined;
    if (backend) return backendTarget(backend, undefined, connectionOf(received, upgrade), received.path);
    return pathTarget(received);
  }

  path(path: string): NonResourceEndpoint | undefined {
    return this.#exact.get(path) ?? this.#below.find(([prefix]) => path.startsWith(prefix))?.[1];
  }

  #resource(
    kind: Kind,
    verb: string,
    { namespace, name, subresource }: Partial<Pick<ResourceTarget, 'namespace' | 'name' | 'subresource'>>,
  ): ResourceTarget {
    const answeredBy = verb === 'create' ? this.#createEndpoints.get(keyOf(kind.group, kind.resource, subresource)) : undefined;
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

function pathTarget({ method, path, query = noQuery, request }: Received): NonResourceTarget {
  return { type: 'nonResource', method, path, query, headers: request.headers };
}

/** A name of a namespaced resource without its namespace, a namespace for a resource that has none, a create across all namespaces. */
export function isMisplaced(route: Pick<ResourceRoute, 'namespace' | 'name' | 'verb'>, namespaced: boolean): boolean {
  if (!namespaced) return route.namespace !== undefined;
  return route.namespace === undefined && (route.name !== undefined || (route.verb !== 'list' && route.verb !== 'watch'));
}

function connectTarget(
  { verb, resource, namespace, name = '', subresource = '', rest }: ResourceRoute,
  given: { readonly kind: Kind; readonly endpoint: ConnectEndpoint; readonly received: Received; readonly upgrade: Upgrade | undefined },
): ConnectTarget {
  const { kind, endpoint, received, upgrade } = given;
  const alsoNeeds = upgrade && verb === 'get' && upgradesNeedCreate.has(`${resource}/${subresource}`) ? 'create' : undefined;
  return { ...connectionOf(received, upgrade), type: 'connect', kind, at: { namespace, name }, subresource, rest, endpoint, alsoNeeds };
}

function backendTarget(backend: Backend, resource: NamedResource | undefined, connection: Connection, path: string): BackendTarget {
  return { ...connection, type: 'backend', backend, resource, path };
}

function connectionOf(received: Received, upgrade: Upgrade | undefined): Connection {
  const { query = noQuery, request, response, signal } = received;
  return { query, request, response: upgrade ? undefined : response, upgrade, signal, began: (code) => received.began(code) };
}

const keyOf = (group: string, resource: string, subresource: string | undefined): string => `${group}/${resource}/${subresource ?? ''}`;
