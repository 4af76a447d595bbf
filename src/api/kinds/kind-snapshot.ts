/**
 * What a server serves at one moment: group-versions, each local (a set of kinds) or a backend's elsewhere. A snapshot
 * never changes; a request takes one at its start and keeps it. Lookups are by URL (group, version, resource) and by the
 * type of an object (group, version, kind).
 */
import { isCustom, type Kind } from '../meta/kind.ts';
import { apiVersionOf, groupOf, versionOf } from '../meta/object.ts';
import { resourceKey, versionPriority } from './define-kind.ts';

/** One resource: the versions in which it is served, and the kind in whose version its objects are stored. */
export interface ServedResource {
  readonly group: string;
  readonly resource: string;
  readonly versions: readonly Kind[];
  /** need not be served */
  readonly stored: Kind;
  /** the versions that there are besides, which nobody can ask for */
  readonly unserved?: readonly Kind[];
}

/** A group-version that another server answers for. Upstream: APIService. */
export interface Backend {
  readonly group: string;
  readonly version: string;
  /** what the group has at least in discovery's order */
  readonly groupPriorityMinimum: number;
  /** within the group */
  readonly versionPriority: number;
  /** what it serves, as aggregated discovery (v2) has it; absent: it has not said yet */
  readonly resources?: readonly object[] | undefined;
  /** where it has its OpenAPI document of version 3, with the document's fingerprint; absent: it has none, or has not said yet */
  readonly openAPI?: string | undefined;
  /** what its OpenAPI document of version 2 says of the group-version; absent: nothing, or it has not said yet */
  readonly openAPIV2?: OpenAPIPart | undefined;
  /** it can be reached: what it serves is what it says now */
  readonly isAvailable?: boolean | undefined;
}

export interface OpenAPIPart {
  /** JSON: `paths` and `definitions` */
  readonly text: string;
  /** of the text */
  readonly hash: string;
  /** of the document that it was taken from */
  readonly etag?: string | undefined;
}

/** By `group/resource` and by `group/version`. */
export interface GroupVersions {
  readonly resources: ReadonlyMap<string, ServedResource>;
  readonly backends: ReadonlyMap<string, Backend>;
}

/** Kinds by group, version and name. Every request asks several times: no text is made of the three. */
class KindTable {
  readonly #groups = new Map<string, Map<string, Map<string, Kind>>>();

  get(group: string, version: string, name: string): Kind | undefined {
    return this.#groups.get(group)?.get(version)?.get(name);
  }

  set(name: string, kind: Kind): void {
    const { group, version } = kind;
    const versions = this.#groups.getOrInsertComputed(group, () => new Map());
    versions.getOrInsertComputed(version, () => new Map()).set(name, kind);
  }
}

export class KindSnapshot {
  readonly #resources: GroupVersions['resources'];
  readonly #backends: GroupVersions['backends'];
  readonly #kinds: readonly Kind[];
  readonly #byResource = new KindTable();
  readonly #byKind = new KindTable();
  readonly #builtInGroups = new Set<string>();

  constructor({ resources, backends }: GroupVersions) {
    this.#resources = resources;
    this.#backends = backends;
    // What a backend answers for is its own, whatever is known of it here.
    const isLocal = (kind: Kind): boolean => !backends.has(apiVersionOf(kind));
    this.#kinds = [...resources.values()].flatMap(({ versions }) => versions).filter(isLocal);
    for (const kind of this.#kinds) {
      this.#byResource.set(kind.resource, kind);
      this.#byKind.set(kind.kind, kind);
      if (!isCustom(kind)) this.#builtInGroups.add(kind.group);
    }
  }

  /** The served kind behind a URL. */
  byResource(group: string, version: string, resource: string): Kind | undefined {
    return this.#byResource.get(group, version, resource);
  }

  /** The same, served or not: what has been written in a version is still told by it. */
  known(group: string, version: string, resource: string): Kind | undefined {
    const served = this.byResource(group, version, resource);
    return served ?? this.resource(group, resource)?.unserved?.find((kind) => kind.version === version);
  }

  /** The served kind of an object. */
  byKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#byKind.get(group, version, kind);
  }

  /** The same, as objects and references name their kind. */
  byApiVersion(apiVersion: string, kind: string): Kind | undefined {
    return this.byKind(groupOf(apiVersion), versionOf(apiVersion), kind);
  }

  /** Whether it is still this very kind that is served under its path. */
  has(kind: Kind): boolean {
    return this.byResource(kind.group, kind.version, kind.resource) === kind;
  }

  /** A resource, in whichever versions. */
  resource(group: string, resource: string): ServedResource | undefined {
    return this.#resources.get(`${group}/${resource}`);
  }

  /** Who answers for a group-version, where it is not this server. */
  backend(group: string, version: string): Backend | undefined {
    return this.#backends.size === 0 ? undefined : this.#backends.get(apiVersionOf({ group, version }));
  }

  get backends(): Iterable<Backend> {
    return this.#backends.values();
  }

  /** A group in which built-in kinds are served. */
  isBuiltIn(group: string): boolean {
    return this.#builtInGroups.has(group);
  }

  /** All served kinds; those that came first, first. */
  list(): readonly Kind[] {
    return this.#kinds;
  }

  /** Served versions of one resource, the preferred one first. */
  versionsOf(group: string, resource: string): readonly Kind[] {
    const { versions = [] } = this.resource(group, resource) ?? {};
    return versions.toSorted((a, b) => versionPriority(b.version) - versionPriority(a.version));
  }

  /** The kinds that hold objects: one per stored resource, in its stored version. */
  storedKinds(): readonly Kind[] {
    const found = new Map<string, Kind>();
    for (const { stored, versions } of this.#resources.values()) {
      if (versions.some(holdsObjects)) found.set(resourceKey(stored), stored);
    }
    return [...found.values()];
  }
}

/** Reviews and what is computed have none. */
export const holdsObjects = (kind: Kind): boolean => kind.verbs.includes('list') && !kind.isComputed;
