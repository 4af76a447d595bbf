/**
 * The pod network of one real node, kept as the API says: the CNI configuration once the Node has its range, routes to
 * the other nodes' pods, masquerading and hostPorts, and the sysctls they need. All in the node's network namespace.
 *
 * Guarantees: level-triggered; what fails is tried again after a second; rules that somebody deletes are written anew;
 * stopping leaves everything in place for the pods that keep running, `removePodNetwork` takes it away.
 */
import { Node, Pod } from '../../api/generated/kinds.ts';
import { parseJSON } from '../../api/schema/json-scan.ts';
import type { Client } from '../../client/client.ts';
import type { Clock, Timer } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { KeptTable } from '../nft/kept-table.ts';
import { renderRemoval } from '../nft/ruleset.ts';
import type { TableWatch } from '../nft/table-watch.ts';
import { writeCniConfig } from './cni.ts';
import { allowForwarding, forgetForwarding } from './forward-policy.ts';
import { type NetworkTools, networkTools } from './network-tools.ts';
import { type HostPortRule, nodeTable, planHostPorts, planNodeRules } from './node-rules.ts';
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
  /** tells when somebody deletes the rules */
  readonly watch?: TableWatch | undefined;
}

const retryMs = 1000;

/** The table is per cluster: nodes of one cluster are in namespaces of their own. */
const networkTable = (cluster: string): string => `timonier-${cluster}-net`;
const networkName = (cluster: string, nodeName: string): string => `timonier-${cluster}-${nodeName}`;

export class PodNetwork implements AsyncDisposable {
  readonly #options: PodNetworkOptions;
  readonly #tools: NetworkTools;
  readonly #subscriptions: Disposable[] = [];
  readonly #table: KeptTable;
  #lastRoutes = '';
  #dirty = false;
  #working: Promise<void> | undefined;
  #retry: Timer | undefined;
  #stopped = false;

  private constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#tools = networkTools(options.netns);
    const { cluster, clusterCidr, keepSource = [], clock, log, watch } = options;
    this.#table = new KeptTable({
      table: nodeTable({ name: networkTable(cluster), clusterCidr, keepSource }),
      watch,
      tools: this.#tools,
      clock,
      log,
      plan: () => planNodeRules(this.#hostPorts()),
      applied: (tookMs) => (tookMs === undefined ? undefined : this.#letThrough()),
    });
  }

  /** Resolves when what is known so far is in place; the Node may get its range later. */
  static async start(options: PodNetworkOptions): Promise<PodNetwork> {
    const network = new PodNetwork(options);
    await network.#tools.sysctl('ipv4/ip_forward', '1');
    const [nodes, pods] = network.#informers();
    await Promise.all([nodes.synced, pods.synced]);
    const changed = (): void => network.#changed();
    for (const informer of [nodes, pods]) network.#subscriptions.push(informer.on({ added: changed, updated: changed, deleted: changed }));
    network.#changed();
    await network.#working;
    await network.#table.inPlace();
    return network;
  }

  #informers() {
    const { client, nodeName } = this.#options;
    return [client.informer(Node), client.informer(Pod, { fieldSelector: `spec.nodeName=${nodeName}` })] as const;
  }

  #hostPorts(): HostPortRule[] {
    const [, pods] = this.#informers();
    return planHostPorts(pods.list());
  }

  /** What the machine's own rules or a pod's link would hold up. */
  async #letThrough(): Promise<void> {
    const { cluster, clusterCidr, keepSource = [] } = this.#options;
    await allowForwarding(this.#tools, { owner: networkTable(cluster), ranges: [clusterCidr, ...keepSource] });
    await letLoopbackThrough(this.#tools, new Set(this.#hostPorts().map(({ podIP }) => podIP)));
  }

  /** One pass at a time; changes during a pass make another one. */
  #changed(): void {
    this.#table.changed();
    this.#dirty = true;
    this.#working ??= this.#work();
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
    this.#working = undefined;
  }

  async #apply(): Promise<void> {
    const { cluster, nodeName, clusterCidr, cniConfDir, ipamDir } = this.#options;
    const [nodes] = this.#informers();
    const podCidr = nodes.get(nodeName)?.spec?.podCIDR;
    if (podCidr) await writeCniConfig(cniConfDir, { network: networkName(cluster, nodeName), podCidr, ipamDir });

    const routes = planRoutes(nodes.list(), { self: nodeName, clusterCidr });
    const routesNow = JSON.stringify([...routes]);
    if (routesNow !== this.#lastRoutes) {
      await applyRoutes(this.#tools, { routes, clusterCidr });
      this.#lastRoutes = routesNow;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#working;
    await this.#table[Symbol.asyncDispose]();
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
  await tools.nft(renderRemoval({ family: 'ip', name: networkTable(cluster) }));
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
