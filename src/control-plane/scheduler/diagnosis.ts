/**
 * Why a pod fits on no node, and how that is said. Upstream: scheduler/framework/types.go (Diagnosis, FitError).
 */
import type { Rejection } from './framework.ts';
import type { NodeFacts } from './node-facts.ts';

export interface Diagnosis {
  readonly nodeCount: number;
  /** of the nodes that were looked at */
  readonly rejections: ReadonlyMap<NodeFacts, Rejection>;
  /** of all others */
  readonly others?: Rejection | undefined;
  /** none was looked at, for this */
  readonly preFilter?: Rejection | undefined;
}

/** Nothing can be done about a node that was not among those that a pod names. */
export const notNamed = (plugins: readonly string[]): Rejection => ({
  plugin: plugins[0] ?? '',
  reasons: [`node(s) didn't satisfy plugin(s) [${plugins.join(' ')}]`],
  unresolvable: true,
});

/** Of the nodes that preemption was not tried on. */
export const notHelpful: Rejection = { plugin: '', reasons: ['Preemption is not helpful for scheduling'], unresolvable: true };

/** What keeps the pod waiting. */
export function rejectingPlugins({ rejections, others, preFilter }: Diagnosis): ReadonlySet<string> {
  const plugins = new Set<string>();
  for (const { plugin } of rejections.values()) plugins.add(plugin);
  if (others) plugins.add(others.plugin);
  if (preFilter) plugins.add(preFilter.plugin);
  return plugins;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. …`: how many nodes each reason keeps out. */
export function describeDiagnosis({ nodeCount, rejections, others, preFilter }: Diagnosis, postFilter = ''): string {
  if (nodeCount === 0) return 'no nodes available to schedule pods';
  const tally = new Map<Rejection, number>();
  for (const rejection of rejections.values()) tally.set(rejection, (tally.get(rejection) ?? 0) + 1);
  if (others && rejections.size < nodeCount) tally.set(others, nodeCount - rejections.size);
  const text = preFilter ? `${available(nodeCount)} ${preFilter.reasons.join(', ')}.` : describeTally(nodeCount, tally);
  return postFilter ? `${text} ${postFilter}` : text;
}

/** The same, from how many nodes each rejection keeps out. */
export function describeTally(nodeCount: number, tally: ReadonlyMap<Rejection, number>): string {
  const histogram = new Map<string, number>();
  for (const [{ reasons }, nodes] of tally) {
    if (nodes > 0) for (const reason of reasons) histogram.set(reason, (histogram.get(reason) ?? 0) + nodes);
  }
  const reasons = [...histogram].map(([reason, nodes]) => `${nodes} ${reason}`).sort();
  return reasons.length ? `${available(nodeCount)} ${reasons.join(', ')}.` : available(nodeCount);
}

/** Out of what a node was chosen. */
export interface Choice {
  readonly nodeCount: number;
  readonly looked: number;
  readonly feasible: number;
  /** of those that do not: the first ones */
  readonly rejections: readonly Rejection[];
}

/** `of 3 nodes 2 fit: 1 node(s) were unschedulable`: out of what a node was chosen. */
export function describeChoice({ nodeCount, looked, feasible, rejections }: Choice): string {
  const nodes = nodeCount === 1 ? '1 node' : `${nodeCount} nodes`;
  const fit = `of ${nodes}${looked < nodeCount ? ` ${looked} looked at,` : ''} ${feasible} ${feasible === 1 ? 'fits' : 'fit'}`;
  const tally = new Map<string, number>();
  for (const { reasons } of rejections) for (const reason of reasons) tally.set(reason, (tally.get(reason) ?? 0) + 1);
  const why = [...tally].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return why ? `${fit}: ${why}` : fit;
}

const available = (nodeCount: number): string => `0/${nodeCount} nodes are available:`;
