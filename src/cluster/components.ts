/** The components of a cluster beside the API server, in the order in which they start. */
import { startDNS } from '../addons/dns/dns-addon.ts';
import type { Phase } from './cluster.ts';
import type { StartComponent } from './component.ts';
import type { ComponentName } from './component-names.ts';
import { startControllers, startScheduler } from './control-plane.ts';
import { identities } from './identities.ts';
import { startNodes } from './nodes/nodes.ts';
import { startProxy } from './nodes/service-proxy.ts';
import { configDefaults } from './settings/config.ts';

export interface Component {
  readonly name: ComponentName;
  readonly phase: Phase;
  readonly start: StartComponent;
}

/** The cluster's DNS in this process. */
const startClusterDNS: StartComponent = async ({ api, addresses, clock, random, log, config, nodeAddress }, stack) => {
  const dns = await startDNS({
    client: api.clientFor(identities.dns),
    clock,
    random,
    log: log.child({ component: 'dns' }),
    domain: config.clusterDomain ?? configDefaults.clusterDomain,
    // beside an API server elsewhere, `host` is all that can be meant
    address: nodeAddress ?? (api.local ? configDefaults.host : (config.host ?? configDefaults.host)),
    port: 0,
    clusterIP: addresses.dnsServiceIP,
    upstreams: config.upstreamDNS,
  });
  stack.use(dns);
};

export const components: readonly Component[] = [
  { name: 'controllers', phase: 'controllers', start: startControllers },
  { name: 'scheduler', phase: 'scheduler', start: startScheduler },
  { name: 'kubelet', phase: 'nodes', start: startNodes },
  { name: 'proxy', phase: 'proxy', start: startProxy },
  { name: 'dns', phase: 'dns', start: startClusterDNS },
];
