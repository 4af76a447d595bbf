/** Simulated nodes, all in this process: real kubelets on the simulated runtime, sharing one wheel of timers. */
import { Node } from '../api/generated/kinds.ts';
import { createEventWriter } from '../client/event-writer.ts';
import { type Kubelet, startKubelet } from '../node/kubelet/kubelet.ts';
import { TimerWheel } from '../node/kubelet/timer-wheel.ts';
import { addressAt, formatCidr, parseCidr, subnetAt } from '../node/network/cidr.ts';
import { SimulatedRuntime } from '../node/runtime/simulated-runtime.ts';
import type { ComponentContext, StartComponent } from './component.ts';
import { configDefaults } from './config.ts';
import { hollowNodeName, identities, nodeIdentity } from './identities.ts';
import { kubernetesVersion } from './version.ts';

/** Simulated addresses: ranges that no real network of a cluster uses (RFC 6598, RFC 2544). */
const podRange = parseCidr('100.64.0.0/10');
const nodeRange = parseCidr('198.18.0.0/15');
const podPrefixLength = 24;
/** how many register at once */
const registeringMax = 100;

export const startHollowNodes: StartComponent = async (context, stack) => {
  const count = context.nodes.hollow;
  if (count === 0) return;
  const wheel = stack.use(new TimerWheel(context.clock));
  const kubelets = new Map<string, Kubelet>();
  const tell = (node: Node): void => kubelets.get(node.metadata.name)?.observeNode(node);
  stack.use(context.api.clientFor(identities.network).informer(Node).on({ added: tell, updated: tell }));
  for (let first = 1; first <= count; first += registeringMax) {
    const last = Math.min(count, first + registeringMax - 1);
    const started = Array.from({ length: last - first + 1 }, (_, i) => startHollowNode(first + i, wheel, context, stack));
    for (const kubelet of await Promise.all(started)) kubelets.set(kubelet.nodeName, kubelet);
  }
};

async function startHollowNode(
  number: number,
  wheel: TimerWheel,
  context: ComponentContext,
  stack: AsyncDisposableStack,
): Promise<Kubelet> {
  const { cluster, config, addresses, api, clock, random, log, signal } = context;
  const nodeName = hollowNodeName(cluster, number);
  const client = api.clientFor(nodeIdentity(nodeName));
  const events = stack.use(createEventWriter(client, { component: 'kubelet', host: nodeName, clock, log }));
  const runtime = stack.use(new SimulatedRuntime({ clock, random }));
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
    clusterDNS: [addresses.dnsServiceIP],
    clusterDomain: config.clusterDomain ?? configDefaults.clusterDomain,
    podCIDR: formatCidr(subnetAt(podRange, podPrefixLength, number - 1)),
    labels: { 'timonier.dev/hollow': 'true' },
    podsMax: config.maxPods ?? configDefaults.maxPods,
    version: kubernetesVersion,
    hollow: true,
    wheel,
  });
  stack.use(kubelet);
  api.local?.hollowKubelets.add({ kubelet, client, runtime, log: nodeLog });
  return kubelet;
}
