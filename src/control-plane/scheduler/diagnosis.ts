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
  readonly others?: Rejection;
  /** none was looked at, for this */
  readonly preFilter?: Rejection;
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
  let text = `0/${nodeCount} nodes are available:`;
  if (preFilter) text += ` ${preFilter.reasons.join(', ')}.`;
  else {
    const histogram = new Map<string, number>();
    const count = ({ reasons }: Rejection, by: number): void => {
      for (const reason of reasons) histogram.set(reason, (histogram.get(reason) ?? 0) + by);
    };
    for (const rejection of rejections.values()) count(rejection, 1);
    if (others && rejections.size < nodeCount) count(others, nodeCount - rejections.size);
    const reasons = [...histogram].map(([reason, nodes]) => `${nodes} ${reason}`).sort();
    if (reasons.length) text += ` ${reasons.join(', ')}.`;
  }
  return postFilter ? `${text} ${postFilter}` : text;
}
