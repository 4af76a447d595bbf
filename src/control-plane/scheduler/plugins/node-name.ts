/** A pod that names its node goes nowhere else. Upstream: plugins/nodename. */
import { type NodePlugin, rejectForGood } from '../framework.ts';

export const nodeName: NodePlugin = {
  name: 'NodeName',
  scope: 'node',
  unblockedBy: ['node-added'],
  filter(pod, node) {
    const wanted = pod.pod.spec.nodeName;
    return !wanted || wanted === node.name ? undefined : rejectForGood("node(s) didn't match the requested node name");
  },
};
