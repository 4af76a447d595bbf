/** Taints keep pods away unless tolerated; PreferNoSchedule only counts against a node. Upstream: plugins/tainttoleration. */
import type { Node } from '../../../api/generated/kinds.ts';
import { tolerates, untoleratedTaint } from '../../../api/predicates/taints.ts';
import { type NodePlugin, rejectForGood } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';

const name = 'TaintToleration';
const untolerated = rejectForGood(name, 'node(s) had untolerated taint(s)');

export const taintToleration: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: {
    'node-added': (pod, { node }) => !isKeptAway(pod, node),
    'node-changed': (pod, { node, old }) => isKeptAway(pod, old) && !isKeptAway(pod, node),
    'own-pod-changed': (pod, { old }) => pod.pod.spec.tolerations?.length !== old.pod.spec.tolerations?.length,
  },
  filter(pod, node) {
    return isKeptAway(pod, node.node) ? untolerated : undefined;
  },
  weight: 3,
  normalization: 'least-is-best',
  score({ pod }, node) {
    const { taints = [] } = node.node.spec ?? {};
    if (taints.length === 0) return 0;
    const tolerations = (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
    return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, taint))).length;
  },
};

const isKeptAway = ({ pod }: PodFacts, node: Node): boolean => untoleratedTaint(node.spec?.taints, pod.spec.tolerations) !== undefined;
