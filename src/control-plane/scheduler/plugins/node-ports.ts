/** Host ports are free on the node. Upstream: plugins/nodeports. */
import { always, type NodePlugin, reject } from '../framework.ts';
import { UsedPorts } from '../node-facts.ts';
import type { PodFacts } from '../pod-facts.ts';

const name = 'NodePorts';
const taken = reject(name, "node(s) didn't have free ports for the requested pod ports");

export const nodePorts: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: { 'node-added': always, 'pod-removed': (pod, { old }) => collide(pod, old) },
  filter(pod, node) {
    for (const port of pod.hostPorts) if (!node.usedPorts.isFree(port)) return taken;
    return undefined;
  },
};

function collide(pod: PodFacts, other: PodFacts): boolean {
  const used = new UsedPorts();
  for (const port of other.hostPorts) used.count(port, 1);
  return pod.hostPorts.some((port) => !used.isFree(port));
}
