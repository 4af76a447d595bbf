/** Host ports are free on the node. Upstream: plugins/nodeports. */
import { type NodePlugin, reject } from '../framework.ts';

export const nodePorts: NodePlugin = {
  name: 'NodePorts',
  scope: 'node',
  unblockedBy: ['node-added', 'pod-removed'],
  filter(pod, node) {
    return pod.hostPorts.every((port) => node.portIsFree(port))
      ? undefined
      : reject("node(s) didn't have free ports for the requested pod ports");
  },
};
