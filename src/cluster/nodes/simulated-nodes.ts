/**
 * Simulated nodes, all in this process: real kubelets on the simulated runtime. They share a wheel of timers, a watch of
 * their Node objects, and a cache of the ConfigMaps and Secrets that their pods name.
 */
import { Node } from '../../api/generated/kinds.ts';
import { createEventWriter } from '../../client/events/event-writer.ts';
import { inSlices } from '../../client/turns.ts';
import { type Kubelet, startKubelet } from '../../node/kubelet/kubelet.ts';
import { ReferencedObjects } from '../../node/kubelet/pod/referenced-objects.ts';
import { TimerWheel } from '../../node/kubelet/timer-wheel.ts';
import { addressAt, formatCidr, parseCidr, subnetAt } from '../../node/network/cidr.ts';
import { SharedLoads } from '../../node/runtime/shared-loads.ts';
import { SimulatedRuntime } from '../../node/runtime/simulated-runtime.ts';
import type { ScalableNodes } from '../api-server/control-endpoints.ts';
import type { ComponentContext, StartComponent } from '../component.ts';
import { identities, nodeIdentity, simulatedNodeName } from '../identities.ts';
import { configDefaults } from '../settings/config.ts';
import { kubernetesVersion } from '../version.ts';
import { removeNodes } from './gone-nodes.ts';
import { markNode, simulatedLabels } from './node-marks.ts';

/** Simulated addresses: ranges that no real network of a cluster uses (RFC 6598, RFC 2544). */
const podRange = parseCidr('100.64.0.0/10');
const nodeRange = parseCidr('198.18.0.0/15');
const podPrefixLength = 24;
/** how many come or go at once */
const changingMax = 100;

export const startSimulatedNodes: StartComponent = async (context, stack) => {
  const { simulatedNodes, nodes, api, giveUp } = context;
  if (api.local) api.local.controls.simulatedNodes = simulatedNodes;
  stack.use(simulatedNodes);
  if (nodes.simulated > 0) await simulatedNodes.resize(nodes.simulated, giveUp);
};

type Shared = Omit<ComponentContext, 'simulatedNodes' | 'addons'>;

/** What all kubelets of the process use. */
interface Common {
  readonly wheel: TimerWheel;
  readonly objects: ReferencedObjects;
  readonly loads: SharedLoads;
}

/** All of a process; their number changes while it runs. */
export class SimulatedNodes implements AsyncDisposable, ScalableNodes {
  readonly #context: Shared;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #stack = new AsyncDisposableStack();
  #common: Common | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(context: Shared) {
    this.#context = context;
  }

  get count(): number {
    return this.#nodes.size;
  }

  get names(): string[] {
    return [...this.#nodes.keys()];
  }

  get(name: string): SimulatedNode | undefined {
    return this.#nodes.get(name);
  }

  /** One at a time. The last ones go first, with their pods. `signal` ends it between two nodes. */
  resize(count: number, signal?: AbortSignal): Promise<void> {
    const before = this.#last;
    const resized = (async () => {
      await before.catch(() => undefined); // told to who asked for it
      if (count > this.count) await this.#add(count, signal);
      else if (count < this.count) await this.#remove(count);
    })();
    this.#last = resized;
    return resized;
  }

  async #add(count: number, signal: AbortSignal | undefined): Promise<void> {
    const context = this.#context;
    const common = this.#share();
    const added = Array.from({ length: count - this.count }, (_, i) => new SimulatedNode(this.count + i + 1, common, context));
    for (const node of added) this.#nodes.set(node.name, node);
    await inSlices(added, { atOnce: changingMax, signal }, (node) => node.start());
  }

  async #remove(count: number): Promise<void> {
    const removed = [...this.#nodes.values()].slice(count);
    for (const node of removed) this.#nodes.delete(node.name);
    await inSlices(removed, { atOnce: changingMax }, (node) => node.kill());
    await removeNodes(
      this.#context.api.clientFor(identities.admin),
      removed.map(({ name }) => name),
    );
  }

  /** What all of them share, from the first one on. */
  #share(): Common {
    if (this.#common) return this.#common;
    const { clock, random, log, api } = this.#context;
    const wheel = this.#stack.use(new TimerWheel(clock));
    const objects = this.#stack.use(new ReferencedObjects(api.clientFor(identities.admin), { clock, random, log }));
    const tell = (node: Node): void => this.#nodes.get(node.metadata.name)?.observe(node);
    this.#stack.use(api.clientFor(identities.network).informer(Node).on({ added: tell, updated: tell }));
    this.#common = { wheel, objects, loads: new SharedLoads() };
    return this.#common;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => undefined);
    await inSlices([...this.#nodes.values()].reverse(), { atOnce: 1 }, (node) => node.kill());
    await this.#stack.disposeAsync();
  }
}

/** One of them. It can lose its power, and get it back: containers are gone then, and nobody was told. */
export class SimulatedNode {
  readonly name: string;
  readonly #number: number;
  readonly #common: Common;
  readonly #context: Shared;
  #running: { readonly kubelet: Kubelet; readonly stack: AsyncDisposableStack } | undefined;

  constructor(number: number, common: Common, context: Shared) {
    this.name = simulatedNodeName(context.cluster, number);
    this.#number = number;
    this.#common = common;
    this.#context = context;
  }

  /** Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#running) return;
    const { config, addresses, api, marks, clock, random, log, signal } = this.#context;
    await using stack = new AsyncDisposableStack();
    const client = api.clientFor(nodeIdentity(this.name));
    const events = stack.use(createEventWriter(client, { component: 'kubelet', host: this.name, clock, log }));
    const runtime = stack.use(new SimulatedRuntime({ clock, random, loads: this.#common.loads }));
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
      labels: simulatedLabels,
      taints: marks.taints,
      podsMax: config.maxPods ?? configDefaults.maxPods,
      version: kubernetesVersion,
      simulated: true,
      ...this.#common,
    });
    stack.use(kubelet);
    const served = api.local?.simulatedKubelets.add({ kubelet, client, runtime, log: nodeLog });
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
}
