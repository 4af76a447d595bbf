/**
 * The pod network of one real node, kept as the API says: the CNI configuration once the Node has its range, routes to
 * the other nodes' pods, masquerading and hostPorts, and the sysctls they need. All in the node's network namespace.
 *
 * Guarantees: level-triggered; what fails is tried again after a second; stopping leaves everything in place for the
 * pods that keep running, `removePodNetwork` takes it away.
 */
import { Node, Pod } from '../../api/generated/kinds.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Timer } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { writeCniConfig } from './cni.ts';
import { allowForwarding, forgetForwarding } from './forward-policy.ts';
import { type NetworkTools, networkTools } from './network-tools.ts';
import { planHostPorts, renderNodeRules, renderRemoval } from './node-rules.ts';
import { applyRoutes, planRoutes } from './routes.ts';

export interface PodNetworkSettings {
  readonly cluster: string;
  /** the pods of all nodes */
  readonly clusterCidr: string;
  /** path of the node's network namespace; default: the one of this process */
  readonly netns?: string;
}

export interface PodNetworkOptions extends PodNetworkSettings {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** where the node's containerd looks for its network */
  readonly cniConfDir: string;
  /** where addresses in use are written down, below the node's data directory */
  readonly ipamDir: string;
  /** Ranges besides the pods' own that know the way to pods: the subnet of nodes on one machine. */
  readonly keepSource?: readonly string[];
}

const retryMs = 1000;

/** The table is per cluster: nodes of one cluster are in namespaces of their own. */
const networkTable = (cluster: string): string => `timonier-${cluster}-net`;
const networkName = (cluster: string, nodeName: string): string => `timonier-${cluster}-${nodeName}`;

export class PodNetwork implements AsyncDisposable {
  readonly #options: PodNetworkOptions;
  readonly #tools: NetworkTools;
  readonly #subscriptions: Disposable[] = [];
  #lastRules = '';
  #lastRoutes = '';
  #dirty = false;
  #working: Promise<void> | undefined;
  #retry: Timer | undefined;
  #stopped = false;

  private constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#tools = networkTools(options.netns);
  }

  /** Resolves when what is known so far is in place; the Node may get its range later. */
  static async start(options: PodNetworkOptions): Promise<PodNetwork> {
    const network = new PodNetwork(options);
    await network.#tools.sysctl('ipv4/ip_forward', '1');
    const { cluster, clusterCidr, keepSource = [] } = options;
    await allowForwarding(network.#tools, { owner: networkTable(cluster), ranges: [clusterCidr, ...keepSource] });
    const [nodes, pods] = network.#informers();
    await Promise.all([nodes.synced, pods.synced]);
    const changed = (): void => network.#changed();
    for (const informer of [nodes, pods]) network.#subscriptions.push(informer.on({ added: changed, updated: changed, deleted: changed }));
    network.#changed();
    await network.#working;
    return network;
  }

  #informers() {
    const { client, nodeName } = this.#options;
    return [client.informer(Node), client.informer(Pod, { fieldSelector: `spec.nodeName=${nodeName}` })] as const;
  }

  /** One pass at a time; changes during a pass make another one. */
  #changed(): void {
    this.#dirty = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      try {
        await this.#apply();
      } catch (error) {
        const { log, clock } = this.#options;
        log.error({ error }, 'the pod network can not be set up');
        this.#retry?.cancel();
        this.#retry = clock.setTimeout(() => this.#changed(), retryMs);
      }
    }
  }

  async #apply(): Promise<void> {
    const { cluster, nodeName, clusterCidr, cniConfDir, ipamDir, keepSource = [] } = this.#options;
    const [nodes, pods] = this.#informers();
    const podCidr = nodes.get(nodeName)?.spec?.podCIDR;
    if (podCidr) await writeCniConfig(cniConfDir, { network: networkName(cluster, nodeName), podCidr, ipamDir });

    const routes = planRoutes(nodes.list(), { self: nodeName, clusterCidr });
    const routesNow = JSON.stringify([...routes]);
    if (routesNow !== this.#lastRoutes) {
      await applyRoutes(this.#tools, { routes, clusterCidr });
      this.#lastRoutes = routesNow;
    }

    const hostPorts = planHostPorts(pods.list());
    const rules = renderNodeRules({ table: networkTable(cluster), clusterCidr, keepSource, hostPorts });
    if (rules !== this.#lastRules) {
      await this.#tools.nft(rules);
      await letLoopbackThrough(this.#tools, new Set(hostPorts.map(({ podIP }) => podIP)));
      this.#lastRules = rules;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#working;
  }
}

/**
 * For a namespace that stays: rules and routes go; without the pods' range, the routes go with the nodes' links. The CNI
 * configuration goes with the node's data directory.
 */
export async function removePodNetwork({
  cluster,
  clusterCidr,
  netns,
}: Partial<PodNetworkSettings> & { readonly cluster: string }): Promise<void> {
  const tools = networkTools(netns);
  await tools.nft(renderRemoval(networkTable(cluster)));
  await forgetForwarding(tools, networkTable(cluster));
  if (clusterCidr !== undefined) await applyRoutes(tools, { routes: new Map(), clusterCidr });
}

/**
 * Lets 127.0.0.1:hostPort lead to a pod: the kernel sends packets with a loopback source only out of a link that is
 * allowed to carry them. The permission is the pod's own link's, and goes with it. A pod without a link of its own here
 * (just removed) is passed over.
 */
export async function letLoopbackThrough(tools: NetworkTools, podIPs: ReadonlySet<string>): Promise<void> {
  for (const ip of podIPs) {
    const routes = parseJSON((await tools.ip('-json', 'route', 'show', `${ip}/32`)).trim() || '[]') as { readonly dev: string }[];
    for (const { dev } of routes) await tools.sysctl(`ipv4/conf/${dev}/route_localnet`, '1');
  }
}
