/** The default profile: the plugins in the order in which they filter. Weights are upstream's. */
import type { SchedulerPlugin } from '../framework.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesBalancedAllocation, nodeResourcesFit } from './node-resources.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { type DefaultSelector, podTopologySpread } from './pod-topology-spread.ts';
import { taintToleration } from './taint-toleration.ts';
import { type BindableVolumes, volumeBinding } from './volume-binding.ts';
import { volumeRestrictions } from './volume-restrictions.ts';
import { volumeZone } from './volume-zone.ts';

export interface PluginsGiven {
  readonly defaultSelector: DefaultSelector;
  readonly volumes: BindableVolumes;
}

export const defaultPlugins = ({ defaultSelector, volumes }: PluginsGiven): readonly SchedulerPlugin[] => [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeRestrictions(volumes),
  volumeBinding(volumes),
  volumeZone(volumes),
  podTopologySpread(defaultSelector),
  interPodAffinity,
  nodeResourcesBalancedAllocation,
  imageLocality,
];
