/**
 * Ways to the pods of the other nodes: a route to each node's pod range through that node's own address, kept equal to
 * what the Nodes say. The nodes must reach each other without a router in between.
 * Upstream: what the cloud's route controller and simple CNI providers do.
 */

import type { NodeSpec, NodeStatus } from '../../api/generated/core-v1.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import { type Cidr, formatCidr, parseCidr } from './cidr.ts';
import type { NetworkTools } from './network-tools.ts';

/** Marks our routes in the table; a number that rt_protos(5) leaves free. */
const routeProtocol = '116';

/** The gateway to each pod range. */
export type Routes = ReadonlyMap<string, string>;

/** A Node, as far as routes need it. */
export interface RoutedNode {
  readonly metadata: { readonly name: string };
  readonly spec?: Pick<NodeSpec, 'podCIDR'>;
  readonly status?: Pick<NodeStatus, 'addresses'>;
}

/** Leads to ranges within `clusterCidr`: simulated nodes have others. A node without one or without an address has no route. */
export function planRoutes(
  nodes: readonly RoutedNode[],
  { self, clusterCidr }: { readonly self: string; readonly clusterCidr: string },
): Routes {
  const cluster = parseCidr(clusterCidr);
  const routes = new Map<string, string>();
  for (const { metadata, spec, status } of nodes) {
    const address = status?.addresses?.find(({ type, address }) => type === 'InternalIP' && address.includes('.'))?.address;
    if (metadata.name === self || !spec?.podCIDR || address === undefined || !isWithin(cluster, spec.podCIDR)) continue;
    routes.set(formatCidr(parseCidr(spec.podCIDR)), address);
  }
  return routes;
}

/** Makes the namespace's routes to pod ranges within `clusterCidr` these, and no others. */
export async function applyRoutes(
  tools: NetworkTools,
  { routes, clusterCidr }: { readonly routes: Routes; readonly clusterCidr: string },
): Promise<void> {
  const present = await listRoutes(tools, clusterCidr);
  for (const cidr of present.keys()) if (!routes.has(cidr)) await tools.ip('route', 'delete', cidr, 'protocol', routeProtocol);
  for (const [cidr, gateway] of routes)
    if (present.get(cidr) !== gateway) await tools.ip('route', 'replace', cidr, 'via', gateway, 'protocol', routeProtocol);
}

async function listRoutes(tools: NetworkTools, clusterCidr: string): Promise<Routes> {
  const text = await tools.ip('-json', 'route', 'show', 'protocol', routeProtocol);
  const listed = parseJSON(text.trim() || '[]') as { readonly dst: string; readonly gateway?: string }[];
  const cluster = parseCidr(clusterCidr);
  const ours = listed.filter(({ dst }) => isWithin(cluster, dst.includes('/') ? dst : `${dst}/32`));
  return new Map(ours.map(({ dst, gateway }) => [dst, gateway ?? '']));
}

function isWithin(cluster: Cidr, range: string): boolean {
  const { base } = parseCidr(range);
  return base >= cluster.base && base < cluster.base + cluster.size;
}
