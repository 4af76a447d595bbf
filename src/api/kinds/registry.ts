/**
 * All kinds that a server knows, and which of them it serves. Built-in kinds are served by the runtime configuration;
 * custom resources come and go while the server runs. Lookups are by URL (group, version, resource) and by the type of
 * an object (group, version, kind).
 */

import type { Kind } from '../meta/kind.ts';
import { apiVersionOf, type KubeObject } from '../meta/object.ts';
import { own } from '../meta/words.ts';
import { resourceKey, versionPriority } from './define-kind.ts';

const pathKey = (group: string, version: string, name: string): string => `${group}/${version}/${name}`;

/**
 * What `--runtime-config` says: `api/all`, `api/ga`, `api/beta`, `api/alpha`, `group/version`, `group/version/resource`
 * (core: `v1`, `v1/pods`), each to true or false. The more exact one wins. Stable versions are on, others off.
 */
export type RuntimeConfig = Readonly<Record<string, boolean>>;

const stabilities = ['api/all', 'api/ga', 'api/beta', 'api/alpha'];

/** Reads the values of `{ 'api/beta': 'true', 'apps/v1/deployments': 'false' }`; '' means true. Throws for others. */
export function parseRuntimeConfig(given: Readonly<Record<string, string>>): RuntimeConfig {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (!['', 'true', 'false', '1', '0'].includes(value)) throw new Error(`invalid value ${name}=${value}`);
      return [name.replace(/^api\/v1/, 'v1'), value !== 'false' && value !== '0'];
    }),
  );
}

function isServed(kind: Kind, config: RuntimeConfig): boolean {
  const groupVersion = apiVersionOf(kind);
  const stability = /alpha/.test(kind.version) ? 'api/alpha' : /beta/.test(kind.version) ? 'api/beta' : 'api/ga';
  const exact = config[`${groupVersion}/${kind.resource}`] ?? own(config, groupVersion) ?? config[stability] ?? config['api/all'];
  return exact ?? stability === 'api/ga';
}

export class KindRegistry {
  readonly #known = new Map<string, Kind>();
  readonly #served = new Map<string, Kind>();
  readonly #byKind = new Map<string, Kind>();
  #revision = 0;

  /** Throws for a configuration of versions that no kind has. */
  constructor(kinds: Iterable<Kind> = [], config: RuntimeConfig = {}) {
    const versions = new Set(stabilities);
    for (const kind of kinds) {
      versions.add(apiVersionOf(kind));
      this.#known.set(pathKey(kind.group, kind.version, kind.resource), kind);
      if (isServed(kind, config)) this.#serve(kind);
    }
    const unknown = Object.keys(config).filter((name) => !versions.has(name) && !versions.has(name.slice(0, name.lastIndexOf('/'))));
    if (unknown.length > 0) throw new Error(`unknown API versions ${unknown.join(', ')}`);
  }

  /** Grows with each kind that comes or goes: what was derived from the registry stays valid while this stands. */
  get revision(): number {
    return this.#revision;
  }

  /** The served kind behind a URL. */
  byResource(group: string, version: string, resource: string): Kind | undefined {
    return this.#served.get(pathKey(group, version, resource));
  }

  /** The served kind of an object. */
  byKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#byKind.get(pathKey(group, version, kind));
  }

  /** The kind in whose version objects of `kind` are stored; it need not be served. */
  storageKind(kind: Kind): Kind {
    const { group, version } = kind.storageVersion;
    const key = pathKey(group, version, kind.resource);
    return this.#known.get(key) ?? this.#served.get(key) ?? kind;
  }

  /** All served kinds, in the order in which they were added. */
  list(): readonly Kind[] {
    return [...this.#served.values()];
  }

  /** Served versions of one resource, the preferred one first. */
  versionsOf(group: string, resource: string): readonly Kind[] {
    return this.list()
      .filter((k) => k.group === group && k.resource === resource)
      .sort((a, b) => versionPriority(b.version) - versionPriority(a.version));
  }

  /** The kinds that hold objects: one per stored resource, in its stored version. */
  storedKinds(): readonly Kind[] {
    const found = new Map<string, Kind>();
    for (const kind of this.list()) {
      if (!kind.verbs.includes('list') || kind.isComputed) continue;
      const stored = this.storageKind(kind);
      found.set(resourceKey(stored), stored);
    }
    return [...found.values()];
  }

  /** Adds a kind at run time, or replaces the one with the same path. */
  add(kind: Kind): void {
    this.#serve(kind);
  }

  /** Takes a kind out again; false when it was not there. */
  remove(ref: { readonly group: string; readonly version: string; readonly resource: string }): boolean {
    const key = pathKey(ref.group, ref.version, ref.resource);
    const kind = this.#served.get(key);
    if (!kind) return false;
    this.#served.delete(key);
    const kindKey = pathKey(kind.group, kind.version, kind.kind);
    if (this.#byKind.get(kindKey) === kind) this.#byKind.delete(kindKey);
    this.#revision++;
    return true;
  }

  #serve(kind: Kind): void {
    this.#served.set(pathKey(kind.group, kind.version, kind.resource), kind);
    this.#byKind.set(pathKey(kind.group, kind.version, kind.kind), kind);
    this.#revision++;
  }
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

function withApiVersion(object: KubeObject, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
