/**
 * The DNS add-on: serves the cluster's names on a node's address and publishes itself as the Service `kube-dns` in
 * kube-system, where pods and clients expect it. Service and EndpointSlice are written once and only when they differ.
 */
import { readFileSync } from 'node:fs';
import { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { isAlreadyExists, isNotFound } from '../../api/meta/status-error.ts';
import { serviceNameLabel, sliceManagedByLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { ClusterZone } from './cluster-zone.ts';
import { DNSServer } from './dns-server.ts';
import { Forwarder, parseUpstream } from './forwarder.ts';
import { createInformerSource } from './informer-source.ts';

export interface DNSAddonOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly domain: string;
  /** where it listens; other nodes must reach it */
  readonly address: string;
  /** 0 takes a free one */
  readonly port: number;
  /** the Service's address, which pods have in resolv.conf; absent: no Service is published */
  readonly clusterIP?: string | undefined;
  /** for other names; default: the machine's own */
  readonly upstreams?: readonly string[] | undefined;
}

const at = { namespace: 'kube-system', name: 'kube-dns' } as const;
const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' };

export async function startDNS(options: DNSAddonOptions): Promise<DNSServer> {
  const source = createInformerSource(options.client, options.clock);
  await source.synced;
  const upstreams = (options.upstreams ?? machineUpstreams()).map(parseUpstream);
  const server = await DNSServer.listen({
    address: options.address,
    port: options.port,
    zone: new ClusterZone({ domain: options.domain, source, nameServer: { ...at, address: options.address } }),
    forwarder: new Forwarder(upstreams, options.clock),
    random: options.random,
    log: options.log,
  });
  if (options.clusterIP !== undefined) await publish(options.client, options.clusterIP, options.address, server.port);
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

async function publish(client: Client, clusterIP: string, address: string, port: number): Promise<void> {
  try {
    await client.create(Service, {
      metadata: { ...at, labels },
      spec: {
        clusterIP,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  if (address.startsWith('127.')) return; // simulated nodes only: no pod sends traffic, and a slice takes no loopback address
  const slice = {
    metadata: { ...at, labels: { [serviceNameLabel]: at.name, [sliceManagedByLabel]: 'timonier-dns' } },
    addressType: 'IPv4' as const,
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: 'dns', port, protocol: 'UDP' as const },
      { name: 'dns-tcp', port, protocol: 'TCP' as const },
    ],
  };
  try {
    await client.patch(EndpointSlice, at, { type: 'merge', body: { endpoints: slice.endpoints, ports: slice.ports } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(EndpointSlice, slice);
  }
}
