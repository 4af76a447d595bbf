/** Cordoned nodes take only pods that tolerate it. Upstream: plugins/nodeunschedulable. */
import { type NodePlugin, rejectForGood } from '../framework.ts';
import { tolerates } from '../taints.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

export const nodeUnschedulable: NodePlugin = {
  name: 'NodeUnschedulable',
  scope: 'node',
  unblockedBy: ['node-added', 'node-changed', 'own-pod-changed'],
  filter(pod, node) {
    if (!node.node.spec.unschedulable) return undefined;
    const tolerated = (pod.pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint));
    return tolerated ? undefined : rejectForGood('node(s) were unschedulable');
  },
};
