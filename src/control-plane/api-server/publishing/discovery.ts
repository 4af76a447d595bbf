/**
 * Discovery: which groups, versions and resources there are, one document per version (legacy) or all in one
 * (aggregated, v2). Made from the registry when it changed, then served from memory.
 * Upstream: apiserver/pkg/endpoints/discovery, apiserver/pkg/endpoints/installer.go.
 */

import { createHash } from 'node:crypto';
import type { KindSnapshot } from '../../../api/kinds/kind-snapshot.ts';
import type { KindRegistry } from '../../../api/kinds/registry.ts';
import { isCustom, type Kind, type Subresource } from '../../../api/meta/kind.ts';
import { apiVersionOf } from '../../../api/meta/object.ts';
import { errors } from '../../../api/meta/status-error.ts';
import { parseAccept } from '../http/negotiation.ts';
import type { NonResourceTarget } from '../request/api-request.ts';
import type { NonResourceEndpoint, NonResourceResponse } from '../request/non-resource-endpoint.ts';
import { serviceUnavailable } from '../request/refusals.ts';
import { answer, headerOf, isKnown, pathNotFound } from './answers.ts';
import { type ServedGroup, type ServedVersion, servedGroups } from './group-order.ts';

export interface DiscoveryOptions {
  readonly registry: KindRegistry;
  /** `host:port`, for APIVersions */
  readonly serverAddress: () => string;
}

const nonNull = <T>(list: readonly T[]): readonly T[] | undefined => (list.length ? list : undefined);

/** The hash that tells clients whether two resources share their storage. */
function storageVersionHash(kind: Kind): string | undefined {
  if (!kind.verbs.includes('create') || !kind.verbs.includes('list')) return undefined;
  return createHash('sha256')
    .update(`${kind.storageVersion.group}/${kind.hashedVersion}/${kind.kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64');
}

/** Of a custom resource that is going, nothing can be made any more. */
const shownVerbs = ({ verbs, isTerminating }: Kind): readonly string[] =>
  isTerminating ? verbs.filter((verb) => verb !== 'create' && verb !== 'update' && verb !== 'patch') : verbs;

const subresourcesOf = (kind: Kind): readonly (readonly [string, Subresource])[] => {
  const all = Object.entries(kind.subresources);
  return isCustom(kind) ? all : all.toSorted(([a], [b]) => (a < b ? -1 : 1));
};

const isElsewhere = (kind: Kind, sub: Subresource): boolean =>
  sub.kind.group !== '' && (sub.kind.group !== kind.group || sub.kind.version !== kind.version);

function legacyResources(kind: Kind): readonly object[] {
  const hash = storageVersionHash(kind);
  const main = {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: shownVerbs(kind),
    shortNames: nonNull(kind.shortNames),
    categories: nonNull(kind.categories),
    storageVersionHash: hash,
  };
  const below = subresourcesOf(kind).map(([name, sub]) => ({
    name: `${kind.resource}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(isElsewhere(kind, sub) && { group: sub.kind.group, version: sub.kind.version }),
    kind: sub.kind.kind,
    verbs: sub.verbs,
  }));
  return [main, ...below];
}

/** APIResourceList of one version; undefined when it is not served. */
function resourceList(groups: readonly ServedGroup[], group: string, version: string): object | undefined {
  const served = groups.find((g) => g.group === group)?.versions.find((v) => v.version === version);
  if (!served) return undefined;
  // Asked for over the wire, it answers itself.
  if (served.backend) throw errors.serviceUnavailable(serviceUnavailable);
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: served.kinds.flatMap(legacyResources),
  };
}

function groupBody({ group, versions }: ServedGroup): object {
  const described = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: described, preferredVersion: described[0] };
}

function groupList(groups: readonly ServedGroup[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.group !== '').map(groupBody) };
}

/** An APIGroup; undefined when it is not served. */
function groupDocument(groups: readonly ServedGroup[], name: string): object | undefined {
  const group = groups.find((g) => g.group === name && name !== '');
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) };
}

function coreVersions(groups: readonly ServedGroup[], serverAddress: string): object {
  const versions = groups.find((g) => g.group === '')?.versions.map((v) => v.version) ?? [];
  return { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] };
}

/** Of built-in kinds the group-version is left to be understood, as upstream has it. */
function responseKind(kind: Kind, sub: Subresource | undefined): object {
  const answered = sub?.kind ?? kind;
  if (!isCustom(kind) && !(sub && isElsewhere(kind, sub))) return { group: '', version: '', kind: answered.kind };
  return { group: answered.group, version: answered.version, kind: answered.kind };
}

function aggregatedResource(kind: Kind): object {
  const subresources = subresourcesOf(kind).map(([subresource, sub]) => ({
    subresource,
    responseKind: responseKind(kind, sub),
    verbs: sub.verbs,
  }));
  return {
    resource: kind.resource,
    responseKind: responseKind(kind, undefined),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: shownVerbs(kind),
    shortNames: nonNull(kind.shortNames),
    categories: nonNull(kind.categories),
    subresources: nonNull(subresources),
  };
}

/** Of another server, what it said when it could last be reached. */
function aggregatedVersion({ version, kinds, backend }: ServedVersion): object {
  if (!backend) return { version, resources: kinds.map(aggregatedResource), freshness: 'Current' };
  const { resources, isAvailable } = backend;
  return { version, ...(resources && { resources }), freshness: isAvailable && resources ? 'Current' : 'Stale' };
}

/** APIGroupDiscoveryList v2: of the core group (`/api`), or of all others (`/apis`). */
function aggregatedDocument(groups: readonly ServedGroup[], root: 'api' | 'apis'): object {
  const items = groups
    .filter(({ group }) => (group === '') === (root === 'api'))
    .map(({ group, versions }) => ({
      metadata: group ? { name: group } : {},
      versions: versions.map(aggregatedVersion),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

interface Aggregated {
  readonly body: string;
  readonly etag: string;
}

/** What was made of one state of the registry. */
class Published {
  readonly served: KindSnapshot;
  readonly groups: readonly ServedGroup[];
  readonly #aggregated = new Map<'api' | 'apis', Aggregated>();
  constructor(served: KindSnapshot) {
    this.served = served;
    this.groups = servedGroups(served);
  }
  aggregated(root: 'api' | 'apis'): Aggregated {
    let made = this.#aggregated.get(root);
    if (!made) {
      const body = `${JSON.stringify(aggregatedDocument(this.groups, root))}\n`;
      made = { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
      this.#aggregated.set(root, made);
    }
    return made;
  }
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Whether the client would rather have the aggregated form than the legacy one. */
function wantsAggregated(request: NonResourceTarget): boolean {
  for (const { type, parameters } of parseAccept(headerOf(request, 'accept'))) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (parameters['as'] === undefined) return false;
    if (type === 'application/json' && parameters['as'] === 'APIGroupDiscoveryList' && parameters['g'] === 'apidiscovery.k8s.io') {
      if (parameters['v'] === 'v2') return true;
    }
  }
  return false;
}

export function discoveryEndpoint({ registry, serverAddress }: DiscoveryOptions): NonResourceEndpoint {
  let published = new Published(registry.current);
  const current = (): Published => {
    if (published.served !== registry.current) published = new Published(registry.current);
    return published;
  };
  return {
    paths: ['/api', '/api/*', '/apis', '/apis/*'],
    async handle(request): Promise<NonResourceResponse> {
      const published = current();
      const { groups } = published;
      const [root = '', ...rest] = request.path.split('/').filter((part) => part !== '');
      if (!rest.length && (root === 'api' || root === 'apis') && wantsAggregated(request)) {
        return aggregatedAnswer(request, published.aggregated(root));
      }
      const found = root === 'api' ? coreDocument(groups, rest, serverAddress) : namedDocument(groups, rest);
      if (found) return answer(request, found);
      if (root === 'apis' && !published.served.isBuiltIn(rest[0] ?? '')) return pathNotFound();
      throw errors.pathNotFound();
    },
  };
}

function aggregatedAnswer(request: NonResourceTarget, { body, etag }: Aggregated): NonResourceResponse {
  const headers = { 'cache-control': 'public', etag, vary: 'Accept' };
  if (isKnown(request, etag)) return { status: 304, headers, body: '' };
  return { status: 200, headers: { ...headers, 'content-type': aggregatedType }, body };
}

function coreDocument(groups: readonly ServedGroup[], rest: readonly string[], serverAddress: () => string): object | undefined {
  const [version, ...more] = rest;
  if (version === undefined) return coreVersions(groups, serverAddress());
  return more.length ? undefined : resourceList(groups, '', version);
}

function namedDocument(groups: readonly ServedGroup[], rest: readonly string[]): object | undefined {
  const [group, version, ...more] = rest;
  if (group === undefined) return groupList(groups);
  if (version === undefined) return groupDocument(groups, group);
  return more.length ? undefined : resourceList(groups, group, version);
}
