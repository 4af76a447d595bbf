/** Taints keep pods away unless tolerated; PreferNoSchedule only counts against a node. Upstream: plugins/tainttoleration. */
import { type NodePlugin, rejectForGood } from '../framework.ts';
import { tolerates, untoleratedTaint } from '../taints.ts';

export const taintToleration: NodePlugin = {
  name: 'TaintToleration',
  scope: 'node',
  unblockedBy: ['node-added', 'node-changed', 'own-pod-changed'],
  filter(pod, node) {
    const taint = untoleratedTaint(node.node.spec.taints, pod.pod.spec.tolerations, ['NoSchedule', 'NoExecute']);
    return taint ? rejectForGood('node(s) had untolerated taint(s)') : undefined;
  },
  weight: 3,
  normalization: 'least-is-best',
  score(pod, node) {
    const { taints = [] } = node.node.spec;
    if (taints.length === 0) return 0;
    const tolerations = (pod.pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
    return taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((t) => tolerates(t, taint))).length;
  },
};
