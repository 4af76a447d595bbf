/** Cordoned nodes take only pods that tolerate it. Upstream: plugins/nodeunschedulable. */
import { unschedulableTaint } from '../../../api/meta/well-known.ts';
import { tolerates } from '../../../api/predicates/taints.ts';
import { type NodePlugin, rejectForGood } from '../framework.ts';
import type { PodFacts } from '../pod-facts.ts';

const name = 'NodeUnschedulable';
const taint = { key: unschedulableTaint, effect: 'NoSchedule' } as const;
const unschedulable = rejectForGood(name, 'node(s) were unschedulable');

export const nodeUnschedulable: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: {
    'node-added': (_pod, { node }) => !node.spec?.unschedulable,
    'node-changed': (_pod, { node, old }) => Boolean(old.spec?.unschedulable) && !node.spec?.unschedulable,
    'own-pod-changed': (pod) => isTolerated(pod),
  },
  filter(pod, node) {
    return !node.node.spec?.unschedulable || isTolerated(pod) ? undefined : unschedulable;
  },
};

const isTolerated = ({ pod }: PodFacts): boolean => (pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint));
