/**
 * Which resources an API server serves, built-in and not, each in its preferred version.
 *
 * A group whose server does not answer is named in `failures`; the others are there all the same.
 * Upstream: client-go/discovery (ServerPreferredResources).
 */
import type { APIGroupList, APIResourceList } from '../../api/generated/meta-v1.ts';
import type { KindRef } from '../../api/meta/object.ts';
import type { Client } from '../client.ts';

export interface DiscoveredResource extends KindRef {
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly DiscoveredResource[];
  readonly failures: readonly { readonly groupVersion: string; readonly error: unknown }[];
}

export async function discoverResources(client: Pick<Client, 'raw'>): Promise<Discovery> {
  const { groups } = await client.raw<APIGroupList>('/apis');
  const wanted = [
    ['v1'],
    ...groups.map((group) => {
      const preferred = group.preferredVersion?.groupVersion;
      const others = group.versions.map(({ groupVersion }) => groupVersion).filter((each) => each !== preferred);
      return preferred ? [preferred, ...others] : others;
    }),
  ];
  const failures: { groupVersion: string; error: unknown }[] = [];
  const fetchOne = async (groupVersion: string): Promise<readonly DiscoveredResource[]> => {
    try {
      const path = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
      return resourcesOf(await client.raw<APIResourceList>(path), groupVersion);
    } catch (error) {
      failures.push({ groupVersion, error });
      return [];
    }
  };
  const byGroup = await Promise.all(wanted.map((versions) => Promise.all(versions.map(fetchOne))));
  return { resources: byGroup.flatMap(firstOfEach), failures };
}

/** Subresources are left out. */
function resourcesOf(list: APIResourceList, groupVersion: string): readonly DiscoveredResource[] {
  const slash = groupVersion.indexOf('/');
  const group = slash < 0 ? '' : groupVersion.slice(0, slash);
  const version = groupVersion.slice(slash + 1);
  return list.resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs }) => ({ group, version, kind, resource: name, namespaced, verbs }));
}

/** Of one group's versions, the first that has each resource. */
function firstOfEach(versions: readonly (readonly DiscoveredResource[])[]): readonly DiscoveredResource[] {
  const first = new Map<string, DiscoveredResource>();
  for (const resource of versions.flat()) if (!first.has(resource.resource)) first.set(resource.resource, resource);
  return [...first.values()];
}
