/** The service proxy of a node in this process and its network namespace. */
import { hostname } from 'node:os';
import type { Client } from '../client/client.ts';
import type { Clock } from '../client/clock.ts';
import type { Log } from '../client/log.ts';
import { networkTools } from '../node/network/network-tools.ts';
import { ServiceProxy } from '../node/proxy/proxy.ts';
import type { AddressPlan } from './address-plan.ts';
import type { StartComponent } from './component.ts';
import { identities, realNodeName } from './identities.ts';
import { findProgram } from './machine.ts';

export const proxyTable = (cluster: string): string => `timonier-${cluster}-proxy`;

interface NodeProxyOptions {
  readonly cluster: string;
  readonly nodeName: string;
  readonly addresses: AddressPlan;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

/** Half-closed connections through a Service would end after a minute. kube-proxy's default. */
const closeWaitSeconds = 3600;

export async function startNodeProxy({ cluster, nodeName, addresses, client, clock, log }: NodeProxyOptions): Promise<ServiceProxy> {
  const tools = networkTools();
  const proxy = await ServiceProxy.start({
    client,
    clock,
    log: log.child({ node: nodeName, component: 'proxy' }),
    nodeName,
    table: proxyTable(cluster),
    podCidr: addresses.podCIDR,
    applyScript: tools.nft,
    ...(findProgram('conntrack') && { conntrack: tools.conntrack }),
  });
  await tools.sysctl('netfilter/nf_conntrack_tcp_timeout_close_wait', String(closeWaitSeconds)).catch((error: unknown) => {
    log.warn({ error }, 'the time-out of half-closed connections can not be set');
  });
  return proxy;
}

/** Of the first real node, whose further ones have theirs in their own processes; without any, of the machine itself. */
export const startProxy: StartComponent = async ({ cluster, nodes, addresses, api, clock, log }, stack) => {
  const nodeName = nodes.real > 0 ? realNodeName(cluster, 1) : hostname();
  const proxy = await startNodeProxy({ cluster, nodeName, addresses, client: api.clientFor(identities.proxy), clock, log });
  if (api.local) stack.use(proxy);
  else stack.defer(() => proxy.remove()); // nobody else would: there is no cluster here to be deleted
};
