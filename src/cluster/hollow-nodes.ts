/** Simulated nodes, all in this process: real kubelets on the simulated runtime, sharing one wheel of timers. */
import type { Client } from '../client/client.ts';
import type { Clock, Random } from '../client/clock.ts';
import { createEventWriter } from '../client/event-writer.ts';
import type { Log } from '../client/log.ts';
import type { ClusterPKI } from '../control-plane/pki/cluster-pki.ts';
import { startKubelet } from '../node/kubelet/kubelet.ts';
import { TimerWheel } from '../node/kubelet/timer-wheel.ts';
import { addressAt, formatCidr, parseCidr, subnetAt } from '../node/network/cidr.ts';
import { SimulatedRuntime } from '../node/runtime/simulated-runtime.ts';
import type { HollowKubelets } from './hollow-kubelets.ts';
import { type Identity, nodeIdentity } from './identities.ts';
import { kubernetesVersion } from './version.ts';

export interface HollowNodesOptions {
  readonly cluster: string;
  readonly count: number;
  readonly podsMax: number;
  readonly clusterDomain: string;
  readonly dnsServiceIP: string;
  readonly clientFor: (identity: Identity) => Client;
  readonly pki: ClusterPKI;
  /** those started are added to it */
  readonly hollowKubelets: HollowKubelets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly stack: AsyncDisposableStack;
}

/** Simulated addresses: ranges that no real network of a cluster uses (RFC 6598, RFC 2544). */
const podRange = parseCidr('100.64.0.0/10');
const nodeRange = parseCidr('198.18.0.0/15');
const podPrefixLength = 24;
/** how many register at once */
const registeringMax = 100;

export const hollowNodeName = (cluster: string, number: number): string => `${cluster}-hollow-${number}`;

export async function startHollowNodes(options: HollowNodesOptions): Promise<void> {
  const { stack, clock } = options;
  if (options.count === 0) return;
  const wheel = stack.use(new TimerWheel(clock));
  for (let first = 1; first <= options.count; first += registeringMax) {
    const last = Math.min(options.count, first + registeringMax - 1);
    await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => startHollowNode(first + i, wheel, options)));
  }
}

async function startHollowNode(number: number, wheel: TimerWheel, options: HollowNodesOptions): Promise<void> {
  const { clock, random, log, signal, stack } = options;
  const nodeName = hollowNodeName(options.cluster, number);
  const client = options.clientFor(nodeIdentity(nodeName));
  const events = stack.use(createEventWriter(client, { component: 'kubelet', host: nodeName, clock, log }));
  const runtime = new SimulatedRuntime({ clock, random });
  const nodeLog = log.child({ node: nodeName });
  const kubelet = await startKubelet({
    nodeName,
    client,
    runtime,
    dataDir: '/nonexistent',
    clock,
    random,
    log: nodeLog,
    signal,
    events,
    nodeIPs: [addressAt(nodeRange, number)],
    clusterDNS: [options.dnsServiceIP],
    clusterDomain: options.clusterDomain,
    podCIDR: formatCidr(subnetAt(podRange, podPrefixLength, number - 1)),
    labels: { 'timonier.dev/hollow': 'true' },
    podsMax: options.podsMax,
    version: kubernetesVersion,
    hollow: true,
    wheel,
  });
  stack.use(kubelet);
  options.hollowKubelets.add({ kubelet, client, runtime, log: nodeLog }, options.pki);
}
