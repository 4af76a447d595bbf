/**
 * One real node in this process and its network namespace: containerd, kubelet, pod network, NetworkPolicies.
 *
 * Guarantees: stopping it ends its pods, each with its grace up to a bound, and leaves what the data directory holds;
 * when the process dies instead, containers go on, and the next start takes them over.
 */
import { join } from 'node:path';
import type { Client } from '../../client/client.ts';
import type { Clock, Random } from '../../client/clock.ts';
import { createEventWriter } from '../../client/events/event-writer.ts';
import type { Log } from '../../client/log.ts';
import { unmountBelow } from '../../node/files/mounts.ts';
import { startKubelet } from '../../node/kubelet/kubelet.ts';
import { endPods } from '../../node/kubelet/pod/end-pods.ts';
import { networkTools } from '../../node/network/network-tools.ts';
import { PodNetwork } from '../../node/network/pod-network.ts';
import { TableWatch } from '../../node/nft/table-watch.ts';
import { PolicyEngine } from '../../node/policy/policy-engine.ts';
import { Containerd } from '../../node/runtime/containerd.ts';
import type { KeyPair } from '../component.ts';
import { containerdDir } from '../instance/instance.ts';
import { podGraceSecondsMax } from '../machine/end-process.ts';
import type { AddressPlan } from '../settings/address-plan.ts';
import { kubernetesVersion } from '../version.ts';

export interface RealNodeOptions {
  readonly cluster: string;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly dataDir: string;
  readonly addresses: AddressPlan;
  readonly clusterDomain: string;
  readonly podsMax: number;
  readonly cniPluginDir: string;
  /** as the node, its pod network and what enforces its policies */
  readonly clients: { readonly node: Client; readonly network: Client; readonly policy: Client };
  readonly serving: KeyPair;
  /** PEM: whose client certificates the kubelet takes */
  readonly ca: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** aborted when the start is given up */
  readonly giveUp: AbortSignal;
  readonly signal: AbortSignal;
  readonly stack: AsyncDisposableStack;
}

export const clusterCgroup = (cluster: string): string => `timonier-${cluster}`;
export const policyTableName = (cluster: string): string => `timonier-${cluster}-policy`;

export async function startRealNode(options: RealNodeOptions): Promise<void> {
  const { cluster, nodeName, nodeIP, dataDir, addresses, clients, clock, random, signal, stack } = options;
  const log = options.log.child({ node: nodeName });
  const containerd = await Containerd.start({
    dataDir: containerdDir(dataDir),
    cniPluginDir: options.cniPluginDir,
    clock,
    log: log.child({ component: 'containerd' }),
    signal: options.giveUp,
  });
  stack.defer(() => stopContainerd(containerd, { volumesDir: join(dataDir, 'kubelet'), clock, log }));
  const watch = stack.use(new TableWatch({ clock, log }));
  const policies = await PolicyEngine.start({
    client: clients.policy,
    clock,
    log: log.child({ component: 'policy' }),
    nodeName,
    table: policyTableName(cluster),
    tools: networkTools(),
    watch,
  });
  stack.use(policies);
  const events = stack.use(createEventWriter(clients.node, { component: 'kubelet', host: nodeName, clock, log }));
  const kubelet = await startKubelet({
    nodeName,
    client: clients.node,
    runtime: containerd.runtime,
    dataDir: join(dataDir, 'kubelet'),
    clock,
    random,
    log: log.child({ component: 'kubelet' }),
    signal,
    events,
    nodeIPs: [nodeIP],
    clusterDNS: [addresses.dnsServiceIP],
    clusterDomain: options.clusterDomain,
    podsMax: options.podsMax,
    version: kubernetesVersion,
    cgroupRoot: [clusterCgroup(cluster), nodeName],
    networkReady: (pod, ips) => policies.admit(pod, ips),
    networkReleased: (uid) => policies.release(uid),
    serving: { host: nodeIP, port: 10250, cert: options.serving.cert, key: options.serving.key, clientCA: options.ca },
  });
  stack.use(kubelet);
  const network = await PodNetwork.start({
    cluster,
    clusterCidr: addresses.podCIDR,
    client: clients.network,
    clock,
    log: log.child({ component: 'network' }),
    nodeName,
    cniConfDir: containerd.paths.cniConfDir,
    ipamDir: join(dataDir, 'ipam'),
    keepSource: [addresses.nodeCIDR],
    watch,
  });
  stack.use(network);
}

/** Volumes in memory go with the pods; the next start mounts them anew. */
async function stopContainerd(
  containerd: Containerd,
  { volumesDir, clock, log }: { readonly volumesDir: string; readonly clock: Clock; readonly log: Log },
): Promise<void> {
  try {
    await endPods({ runtime: containerd.runtime, clock, log }, podGraceSecondsMax);
    await containerd.removePods();
    await unmountBelow(volumesDir);
  } catch (error) {
    log.warn({ error }, 'some pods did not end');
  }
  await containerd.stop();
}
