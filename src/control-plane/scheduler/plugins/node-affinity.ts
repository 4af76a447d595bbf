/** nodeSelector and node affinity. Upstream: plugins/nodeaffinity. */
import { type NodePlugin, rejectForGood } from '../framework.ts';
import { matchesTerm } from '../node-selection.ts';

export const nodeAffinity: NodePlugin = {
  name: 'NodeAffinity',
  scope: 'node',
  unblockedBy: ['node-added', 'node-changed', 'own-pod-changed'],
  filter(pod, node) {
    return !pod.matchesNode || pod.matchesNode(node.node) ? undefined : rejectForGood("node(s) didn't match Pod's node affinity/selector");
  },
  weight: 2,
  normalization: 'most-is-best',
  score(pod, node) {
    const preferred = pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    let sum = 0;
    for (const { weight, preference } of preferred) if (weight && matchesTerm(preference, node.node)) sum += weight;
    return sum;
  },
};
