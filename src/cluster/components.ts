/** The components of a cluster beside the API server, in the order in which they start. */
import { addonNames } from '../addons/addons.ts';
import { startAddons } from './addons.ts';
import type { Phase } from './cluster.ts';
import type { StartComponent } from './component.ts';
import type { ComponentName } from './component-names.ts';
import { startControllers, startScheduler } from './control-plane.ts';
import { startNodes } from './nodes/nodes.ts';
import { startProxy } from './nodes/service-proxy.ts';

export interface Component {
  /** it is started when one of them is asked for */
  readonly names: readonly ComponentName[];
  readonly phase: Phase;
  readonly start: StartComponent;
}

export const components: readonly Component[] = [
  { names: ['controllers'], phase: 'controllers', start: startControllers },
  { names: ['scheduler'], phase: 'scheduler', start: startScheduler },
  { names: ['kubelet'], phase: 'nodes', start: startNodes },
  { names: ['proxy'], phase: 'proxy', start: startProxy },
  { names: addonNames, phase: 'add-ons', start: startAddons },
];
