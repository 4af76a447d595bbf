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
import { hollowLabels, markNode } from './node-marks.ts';
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
  const all = Array.from({ length: count }, (_, i) => stack.use(new HollowNode(i + 1, wheel, context)));
  for (const node of all) context.hollowNodes.set(node.name, node);
  const tell = (node: Node): void => context.hollowNodes.get(node.metadata.name)?.observe(node);
  stack.use(context.api.clientFor(identities.network).informer(Node).on({ added: tell, updated: tell }));
  for (let first = 0; first < count; first += registeringMax) {
    await Promise.all(all.slice(first, first + registeringMax).map((node) => node.start()));
  }
};

/** One of them. It can lose its power, and get it back: containers are gone then, and nobody was told. */
export class HollowNode implements AsyncDisposable {
  readonly name: string;
  readonly #number: number;
  readonly #wheel: TimerWheel;
  readonly #context: ComponentContext;
  #running: { readonly kubelet: Kubelet; readonly stack: AsyncDisposableStack } | undefined;

  constructor(number: number, wheel: TimerWheel, context: ComponentContext) {
    this.name = hollowNodeName(context.cluster, number);
    this.#number = number;
    this.#wheel = wheel;
    this.#context = context;
  }

  /** Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#running) return;
    const { config, addresses, api, marks, clock, random, log, signal } = this.#context;
    await using stack = new AsyncDisposableStack();
    const client = api.clientFor(nodeIdentity(this.name));
    const events = stack.use(createEventWriter(client, { component: 'kubelet', host: this.name, clock, log }));
    const runtime = stack.use(new SimulatedRuntime({ clock, random }));
    const nodeLog = log.child({ node: this.name });
    const kubelet = await startKubelet({
      nodeName: this.name,
      client,
      runtime,
      dataDir: '/nonexistent',
      clock,
      random,
      log: nodeLog,
      signal,
      events,
      nodeIPs: [addressAt(nodeRange, this.#number)],
      clusterDNS: [addresses.dnsServiceIP],
      clusterDomain: config.clusterDomain ?? configDefaults.clusterDomain,
      podCIDR: formatCidr(subnetAt(podRange, podPrefixLength, this.#number - 1)),
      labels: hollowLabels,
      taints: marks.taints,
      podsMax: config.maxPods ?? configDefaults.maxPods,
      version: kubernetesVersion,
      hollow: true,
      wheel: this.#wheel,
    });
    stack.use(kubelet);
    const served = api.local?.hollowKubelets.add({ kubelet, client, runtime, log: nodeLog });
    if (served) stack.use(served);
    await markNode(api.clientFor(identities.admin), marks, this.name);
    this.#running = { kubelet, stack: stack.move() };
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stack.disposeAsync();
  }

  observe(node: Node): void {
    this.#running?.kubelet.observeNode(node);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
