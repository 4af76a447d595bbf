/**
 * Chooses a node for one pod. Pure but for the place where the next search begins, which rotates so that equal nodes
 * take turns. On big clusters the search ends when enough feasible nodes are found, as upstream's does: at least 100,
 * at most half, 5 % of many thousands.
 */
import type { ClusterPlugin, NodePlugin, SchedulerPlugin } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';
import type { NodeTable } from './node-table.ts';
import { type NodeVerdict, PodClasses } from './pod-class.ts';
import type { PodFacts } from './pod-facts.ts';

export type Selection =
  | { readonly node: NodeFacts; readonly score: number; readonly evaluated: number }
  | { readonly node: undefined; readonly nodeCount: number; readonly verdicts: readonly (NodeVerdict & { readonly nodeName: string })[] };

const feasibleMin = 100;
const percentMin = 5;

export function feasibleNodesWanted(nodeCount: number): number {
  if (nodeCount < feasibleMin) return nodeCount;
  const percent = Math.max(percentMin, 50 - Math.floor(nodeCount / 125));
  return Math.max(feasibleMin, Math.floor((nodeCount * percent) / 100));
}

export class NodeSelector {
  readonly #classes: PodClasses;
  readonly #clusterPlugins: readonly ClusterPlugin[];
  #start = 0;

  constructor(plugins: readonly SchedulerPlugin[]) {
    this.#classes = new PodClasses(plugins.filter((plugin): plugin is NodePlugin => plugin.scope === 'node'));
    this.#clusterPlugins = plugins.filter((plugin): plugin is ClusterPlugin => plugin.scope === 'cluster');
  }

  select(pod: PodFacts, table: NodeTable): Selection {
    const podClass = this.#classes.of(pod, table);
    const filters = this.#clusterPlugins.flatMap((plugin) => {
      const state = plugin.preFilter?.(pod, table);
      return state === undefined ? [] : [{ plugin, state }];
    });
    const { nodes } = table;
    const wanted = feasibleNodesWanted(table.size);
    const feasible: NodeFacts[] = [];
    let seen = 0;
    for (; seen < nodes.length && feasible.length < wanted; seen++) {
      const node = nodes[(this.#start + seen) % nodes.length];
      if (!node || podClass.verdict(node.index)) continue;
      if (filters.every(({ plugin, state }) => !plugin.filter?.(pod, node, state))) feasible.push(node);
    }
    if (feasible.length === 0) return { node: undefined, nodeCount: table.size, verdicts: explain(pod, table, podClass, filters) };
    this.#start = (this.#start + seen) % nodes.length;
    const totals = new Float64Array(feasible.length);
    podClass.addScores(feasible, totals);
    this.#addClusterScores(pod, table, feasible, totals);
    let best = 0;
    for (let i = 1; i < totals.length; i++) if ((totals[i] ?? 0) > (totals[best] ?? 0)) best = i;
    const node = feasible[best];
    if (!node) throw new Error('no feasible node');
    return { node, score: totals[best] ?? 0, evaluated: seen };
  }

  #addClusterScores(pod: PodFacts, table: NodeTable, feasible: readonly NodeFacts[], totals: Float64Array): void {
    if (feasible.length === 1) return;
    for (const plugin of this.#clusterPlugins) {
      const state = plugin.preScore?.(pod, table, feasible);
      if (state === undefined) continue;
      const scores = new Float64Array(feasible.length);
      feasible.forEach((node, i) => {
        scores[i] = plugin.score?.(pod, node, state) ?? 0;
      });
      plugin.normalize?.(scores, state);
      for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + (scores[i] ?? 0) * (plugin.weight ?? 1);
    }
  }
}

function explain(
  pod: PodFacts,
  table: NodeTable,
  podClass: { verdict(index: number): NodeVerdict | undefined },
  filters: readonly { plugin: ClusterPlugin; state: unknown }[],
): (NodeVerdict & { nodeName: string })[] {
  return table.nodes.flatMap((node) => {
    if (!node) return [];
    const own = podClass.verdict(node.index);
    if (own) return [{ ...own, nodeName: node.name }];
    for (const { plugin, state } of filters) {
      const rejection = plugin.filter?.(pod, node, state);
      if (rejection) return [{ plugin: plugin.name, rejection, nodeName: node.name }];
    }
    return [];
  });
}

/** The message of a FailedScheduling event: how many nodes each reason keeps out. */
export function describeFailure(selection: Extract<Selection, { node: undefined }>): string {
  if (selection.nodeCount === 0) return 'no nodes available to schedule pods';
  const histogram = new Map<string, number>();
  for (const { rejection } of selection.verdicts)
    for (const reason of rejection.reasons) histogram.set(reason, (histogram.get(reason) ?? 0) + 1);
  const reasons = [...histogram].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${selection.nodeCount} nodes are available: ${reasons.join(', ')}.`;
}
