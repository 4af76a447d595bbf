/** A pod that names its node goes nowhere else. Upstream: plugins/nodename. */
import { always, type NodePlugin, rejectForGood } from '../framework.ts';

const name = 'NodeName';
const mismatch = rejectForGood(name, "node(s) didn't match the requested node name");

export const nodeName: NodePlugin = {
  name,
  scope: 'node',
  unblockedBy: { 'node-added': always },
  filter({ pod }, node) {
    return !pod.spec.nodeName || pod.spec.nodeName === node.name ? undefined : mismatch;
  },
};
