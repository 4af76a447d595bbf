/**
 * The order in which nodes are searched: zones take turns, so that a search that ends early has seen all of them.
 * Upstream: scheduler/backend/cache/node_tree.go.
 */
import { zoneOf } from '../../api/predicates/node-selection.ts';
import type { NodeFacts } from './node-facts.ts';

export function searchOrder(nodes: Iterable<NodeFacts>): readonly NodeFacts[] {
  const zones = [...Map.groupBy(nodes, ({ node }) => zoneOf(node)).values()];
  if (zones.length === 1) return zones[0] ?? [];
  const order: NodeFacts[] = [];
  const longest = Math.max(0, ...zones.map((zone) => zone.length));
  for (let i = 0; i < longest; i++) {
    for (const zone of zones) {
      const node = zone[i];
      if (node) order.push(node);
    }
  }
  return order;
}
