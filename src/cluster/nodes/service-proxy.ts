/** The service proxy of a node in this process and its network namespace. */
import { hostname } from 'node:os';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import { createEventWriter } from '../../client/events/event-writer.ts';
import type { Log } from '../../client/log.ts';
import { networkTools } from '../../node/network/network-tools.ts';
import { TableWatch } from '../../node/nft/table-watch.ts';
import { ServiceProxy } from '../../node/proxy/proxy.ts';
import type { StartComponent } from '../component.ts';
import { identities, realNodeName } from '../identities.ts';
import { findProgram } from '../machine/machine.ts';
import type { AddressPlan } from '../settings/address-plan.ts';

export const proxyTable = (cluster: string): string => `timonier-${cluster}-proxy`;

interface NodeProxyOptions {
  readonly cluster: string;
  readonly nodeName: string;
  /** absent: of a machine that is no node of ours */
  readonly nodeIP?: string | undefined;
  readonly addresses: AddressPlan;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly stack: AsyncDisposableStack;
}

/** Half-closed connections through a Service would end after a minute. kube-proxy's default. */
const closeWaitSeconds = 3600;

export async function startNodeProxy(options: NodeProxyOptions): Promise<ServiceProxy> {
  const { cluster, nodeName, nodeIP, addresses, client, clock, log, stack } = options;
  const tools = networkTools();
  const events = stack.use(createEventWriter(client, { component: 'kube-proxy', host: nodeName, clock, log }));
  const proxy = await ServiceProxy.start({
    client,
    clock,
    log: log.child({ node: nodeName, component: 'proxy' }),
    nodeName,
    table: proxyTable(cluster),
    podCidr: addresses.podCIDR,
    tools,
    watch: stack.use(new TableWatch({ clock, log })),
    events,
    listen: { address: nodeIP },
    conntrack: findProgram('conntrack') ? tools.conntrack : undefined,
  });
  await tools.sysctl('netfilter/nf_conntrack_tcp_timeout_close_wait', String(closeWaitSeconds)).catch((error: unknown) => {
    log.warn({ error }, 'the time-out of half-closed connections can not be set');
  });
  return proxy;
}

/** Of the first real node, whose further ones have theirs in their own processes; without any, of the machine itself. */
export const startProxy: StartComponent = async ({ cluster, nodes, nodeAddress, addresses, api, clock, log }, stack) => {
  const nodeName = nodes.real > 0 ? realNodeName(cluster, 1) : hostname();
  const client = api.clientFor(identities.proxy);
  const proxy = await startNodeProxy({ cluster, nodeName, nodeIP: nodeAddress, addresses, client, clock, log, stack });
  if (api.local) stack.use(proxy);
  else stack.defer(() => proxy.remove()); // nobody else would: there is no cluster here to be deleted
};
