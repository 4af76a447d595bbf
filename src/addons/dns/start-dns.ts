/** Serves the cluster's names on this machine's address, and says in an EndpointSlice that the Service `kube-dns` leads there. */
import { readFileSync } from 'node:fs';
import { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { isNotFound } from '../../api/meta/status-error.ts';
import { serviceNameLabel, sliceManagedByLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { AddonContext } from '../addon.ts';
import { ClusterZone } from './cluster-zone.ts';
import { DNSServer } from './dns-server.ts';
import { Forwarder, parseUpstream } from './forwarder.ts';
import { createInformerSource } from './informer-source.ts';

interface DNSContext extends AddonContext {
  /** the Service */
  readonly at: { readonly namespace: string; readonly name: string };
}

export async function startDNS({ client, cluster, at, clock, random, log }: DNSContext, stack: AsyncDisposableStack): Promise<DNSServer> {
  const { domain, address, upstreamDNS = machineUpstreams() } = cluster;
  const source = createInformerSource(client, clock);
  await source.synced;
  const server = await DNSServer.listen({
    address,
    port: 0,
    zone: new ClusterZone({ domain, source, nameServer: { ...at, address } }),
    forwarder: new Forwarder(upstreamDNS.map(parseUpstream), clock),
    random,
    log,
  });
  stack.use(server);
  if (!address.startsWith('127.')) await publish(client, { at, address, port: server.port }); // else no pod sends traffic, and a slice takes no loopback address
  return server;
}

/** The machine's own resolvers. One on loopback serves the machine alone, but the add-on runs on it. */
function machineUpstreams(file = '/etc/resolv.conf'): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return []; // no resolver on this machine: only the cluster's own names are answered
  }
  return [...text.matchAll(/^nameserver\s+([\d.a-fA-F:]+)\s*$/gm)].map((match) => match[1] ?? '');
}

interface Published extends Pick<DNSContext, 'at'> {
  readonly address: string;
  readonly port: number;
}

/** The slice stays when the process ends: the next one has another port, and says so. It goes with the Service. */
async function publish(client: Client, { at, address, port }: Published): Promise<void> {
  const { metadata: service } = await client.get(Service, at);
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Service', name: at.name, uid: service.uid }];
  const slice = {
    metadata: { ...at, labels: { [serviceNameLabel]: at.name, [sliceManagedByLabel]: 'timonier-dns' }, ownerReferences },
    addressType: 'IPv4' as const,
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', port, protocol: 'UDP' as const },
      { name: 'dns-tcp', port, protocol: 'TCP' as const },
    ],
  };
  try {
    await client.patch(EndpointSlice, at, {
      type: 'merge',
      body: { metadata: { ownerReferences }, endpoints: slice.endpoints, ports: slice.ports },
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(EndpointSlice, slice);
  }
}
