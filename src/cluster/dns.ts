/** The cluster's DNS in this process. */
import { startDNS } from '../addons/dns/dns-addon.ts';
import type { StartComponent } from './component.ts';
import { identities } from './identities.ts';
import { configDefaults } from './settings/config.ts';

export const startClusterDNS: StartComponent = async ({ api, addresses, clock, random, log, config, nodeAddress }, stack) => {
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
