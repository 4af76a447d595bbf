/**
 * All kinds that a server knows, and which of them it serves. Built-in kinds are served by the runtime configuration;
 * custom resources, and group-versions of other servers, come, change and go while the server runs.
 *
 * Guarantees: each change is one assignment of the next snapshot, so nobody sees half of it; what was derived from a
 * snapshot stays valid while `current` is that snapshot; a resource keeps its scope and the place of its objects.
 * A server that runs changes its registry by `ServedKinds`, which sees to where the objects are.
 */

import type { Kind, RemoteConversion } from '../meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../meta/object.ts';
import { errors } from '../meta/status-error.ts';
import { own } from '../meta/words.ts';
import { type Backend, type GroupVersions, KindSnapshot, type ServedResource } from './kind-snapshot.ts';
import { type RuntimeConfig, stabilities } from './runtime-config.ts';

function isServed(kind: Kind, config: RuntimeConfig): boolean {
  const groupVersion = apiVersionOf(kind);
  const stability = /alpha/.test(kind.version) ? 'api/alpha' : /beta/.test(kind.version) ? 'api/beta' : 'api/ga';
  const exact = config[`${groupVersion}/${kind.resource}`] ?? own(config, groupVersion) ?? config[stability] ?? config['api/all'];
  return exact ?? stability === 'api/ga';
}

type ResourceName = Pick<Kind, 'group' | 'resource'>;

const keyOf = ({ group, resource }: ResourceName): string => `${group}/${resource}`;

/** Where the objects of a resource are stored that is not built in. Upstream: apiextensions-apiserver's RESTOptionsGetter. */
export const customStoragePrefix = keyOf;

export class KindRegistry {
  #state: GroupVersions = { resources: new Map(), backends: new Map() };
  #current = new KindSnapshot(this.#state);

  /** Throws for a configuration of versions that no kind has. */
  constructor(kinds: readonly Kind[] = [], config: RuntimeConfig = {}) {
    const versions = new Set([...stabilities, ...kinds.map(apiVersionOf)]);
    const unknown = Object.keys(config).filter((name) => !versions.has(name) && !versions.has(name.slice(0, name.lastIndexOf('/'))));
    if (unknown.length > 0) throw new Error(`unknown API versions ${unknown.join(', ')}`);
    this.#become({ resources: servedBuiltIns(kinds, config) });
  }

  /** What is served now. */
  get current(): KindSnapshot {
    return this.#current;
  }

  /** Serves resources, each in place of what was served under its name. Throws for one that would leave its objects behind. */
  put(...added: readonly ServedResource[]): void {
    const resources = new Map(this.#state.resources);
    for (const resource of added) {
      checkMove(this.current.resource(resource.group, resource.resource), resource);
      resources.set(keyOf(resource), resource);
    }
    this.#become({ resources });
  }

  /** Takes a resource out again; false when it was not there. */
  remove(resource: ResourceName): boolean {
    const resources = new Map(this.#state.resources);
    if (!resources.delete(keyOf(resource))) return false;
    this.#become({ resources });
    return true;
  }

  /** Leaves a group-version to another server. */
  putBackend(backend: Backend): void {
    this.#become({ backends: new Map([...this.#state.backends, [apiVersionOf(backend), backend]]) });
  }

  removeBackend(groupVersion: Pick<Backend, 'group' | 'version'>): boolean {
    const backends = new Map(this.#state.backends);
    if (!backends.delete(apiVersionOf(groupVersion))) return false;
    this.#become({ backends });
    return true;
  }

  #become(change: Partial<GroupVersions>): void {
    this.#state = { ...this.#state, ...change };
    this.#current = new KindSnapshot(this.#state);
  }
}

function servedBuiltIns(kinds: readonly Kind[], config: RuntimeConfig): Map<string, ServedResource> {
  const resources = new Map<string, ServedResource>();
  for (const [key, all] of Map.groupBy(kinds, keyOf)) {
    const { served: versions = [], unserved = [] } = Object.groupBy(all, (kind) => (isServed(kind, config) ? 'served' : 'unserved'));
    const [first] = versions;
    if (!first) continue;
    const { group, version } = first.storageVersion;
    const stored = kinds.find((kind) => kind.group === group && kind.version === version && kind.resource === first.resource) ?? first;
    resources.set(key, { group: first.group, resource: first.resource, versions, stored, unserved });
  }
  return resources;
}

/** Objects are found by scope and prefix: neither may differ between versions, nor change while a resource is there. */
function checkMove(before: ServedResource | undefined, after: ServedResource): void {
  const { stored, versions } = after;
  for (const kind of before ? [before.stored, ...versions] : versions) {
    if (kind.namespaced !== stored.namespaced) throw new Error(`${keyOf(after)} can't change its scope`);
    if (kind.storagePrefix !== stored.storagePrefix) throw new Error(`the objects of ${keyOf(after)} can't move`);
  }
  if (!before && stored.storagePrefix !== customStoragePrefix(after))
    throw new Error(`the objects of ${keyOf(after)} have to be below ${customStoragePrefix(after)}`);
}

/** The stored form of an object of `kind`: the same object where nothing differs. */
export function toStorage(kind: Kind, object: KubeObject): KubeObject {
  if (kind.convert) return kind.convert.toStorage(object);
  return withApiVersion(object, apiVersionOf(kind.storageVersion));
}

/** The form that `kind` serves of a stored object: the same object where nothing differs. */
export function fromStorage(kind: Kind, stored: KubeObject): KubeObject {
  if (kind.convert) return kind.convert.fromStorage(stored);
  return withApiVersion(stored, apiVersionOf(kind));
}

/** An object in another version of its resource: at once, unless somebody else has to be asked. */
export function inVersion(object: KubeObject, from: Kind, to: Kind): KubeObject | Promise<KubeObject> {
  if (from === to) return object;
  if (from.convertRemotely) return convertOne(from.convertRemotely, object, apiVersionOf(to));
  return fromStorage(to, toStorage(from, object));
}

/** The batch of one object. */
export async function convertOne(convert: RemoteConversion, object: KubeObject, apiVersion: string): Promise<KubeObject> {
  const [converted] = await convert([object], apiVersion);
  if (!converted) throw errors.internal('1 object was to be converted, and 0 were');
  return converted;
}

function withApiVersion(object: KubeObject, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
