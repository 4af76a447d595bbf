/**
 * Which resources an API server serves, built-in and not, each in its preferred version. All that the server itself knows
 * comes in two requests; who answers for a group-version elsewhere is asked for what it serves.
 *
 * A group whose server does not answer is named in `failures`; the others are there all the same.
 * Upstream: client-go/discovery (ServerPreferredResources, aggregated discovery).
 */
import type { APIResourceList } from '../../api/generated/meta-v1.ts';
import { apiVersionOf, groupOf, type KindRef } from '../../api/meta/object.ts';
import type { Client } from '../client.ts';

export interface DiscoveredResource extends KindRef {
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  readonly failures: readonly { readonly groupVersion: string; readonly error: unknown }[];
}

/** APIGroupDiscoveryList of apidiscovery.k8s.io/v2; the first version of a group is the preferred one. */
interface GroupDiscoveryList {
  readonly items?: readonly { readonly metadata?: { readonly name?: string }; readonly versions?: readonly VersionDiscovery[] }[];
}
interface VersionDiscovery {
  readonly version: string;
  /** `Stale`: another server answers for it, and this one does not know what */
  readonly freshness?: string;
  readonly resources?: readonly ResourceDiscovery[];
}
interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope?: string;
  readonly verbs?: readonly string[];
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export async function discoverResources(client: Pick<Client, 'raw'>): Promise<Discovery> {
  const roots = await Promise.all(['/api', '/apis'].map((path) => client.raw<GroupDiscoveryList>(path, { accept })));
  const failures: { groupVersion: string; error: unknown }[] = [];
  const resourcesOf = async (group: string, found: VersionDiscovery): Promise<readonly DiscoveredResource[]> => {
    if (found.freshness !== 'Stale') return known(group, found);
    const groupVersion = apiVersionOf({ group, version: found.version });
    try {
      return listed(group, found.version, await client.raw<APIResourceList>(`/apis/${groupVersion}`));
    } catch (cause) {
      failures.push({ groupVersion, error: new Error(`stale GroupVersion discovery: ${groupVersion}`, { cause }) });
      return [];
    }
  };
  const groups = roots.flatMap(({ items = [] }) => items);
  const resources = await Promise.all(
    groups.map(async ({ metadata, versions = [] }) =>
      firstOfEach(await Promise.all(versions.map((version) => resourcesOf(metadata?.name ?? '', version)))),
    ),
  );
  return { resources: resources.flat(), failures };
}

/** The resource behind a reference to a kind; `v1`: the core group. Undefined: it is not served. */
export function resourceOf({ resources }: Discovery, { apiVersion = 'v1', kind }: KindReference): DiscoveredResource | undefined {
  return resources.find((each) => each.group === groupOf(apiVersion) && each.kind === kind);
}

interface KindReference {
  readonly apiVersion?: string | undefined;
  readonly kind: string;
}

const known = (group: string, { version, resources = [] }: VersionDiscovery): readonly DiscoveredResource[] =>
  resources.map(({ resource, responseKind, scope, verbs = [] }) => ({
    group,
    version,
    kind: responseKind?.kind ?? '',
    resource,
    namespaced: scope === 'Namespaced',
    verbs,
  }));

/** Subresources are left out. */
const listed = (group: string, version: string, { resources }: APIResourceList): readonly DiscoveredResource[] =>
  resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs }) => ({ group, version, kind, resource: name, namespaced, verbs }));

/** Of one group's versions, the first that has each resource. */
function firstOfEach(versions: readonly (readonly DiscoveredResource[])[]): readonly DiscoveredResource[] {
  const first = new Map<string, DiscoveredResource>();
  for (const resource of versions.flat()) if (!first.has(resource.resource)) first.set(resource.resource, resource);
  return [...first.values()];
}
