/** The components of a cluster beside the API server, in the order in which they start. */
import type { Phase } from './cluster.ts';
import type { ComponentContext, StartComponent } from './component.ts';
import type { ComponentName } from './component-names.ts';
import { startControllers, startScheduler } from './control-plane.ts';
import { startClusterDNS } from './dns.ts';
import { describeNodes, startNodes } from './nodes/nodes.ts';
import { startProxy } from './nodes/service-proxy.ts';

export interface Component {
  readonly name: ComponentName;
  readonly phase: Phase;
  readonly start: StartComponent;
  /** one line for people */
  readonly note?: (context: ComponentContext) => string;
}

export const components: readonly Component[] = [
  { name: 'controllers', phase: 'controllers', start: startControllers },
  { name: 'scheduler', phase: 'scheduler', start: startScheduler },
  { name: 'kubelet', phase: 'nodes', start: startNodes, note: ({ nodes }) => describeNodes(nodes) },
  { name: 'proxy', phase: 'proxy', start: startProxy },
  { name: 'dns', phase: 'dns', start: startClusterDNS },
];
