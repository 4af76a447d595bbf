/**
 * The service proxy of one node: follows Services and EndpointSlices and keeps one nftables table of its own equal to
 * what they ask for. Changes that come while nft runs go into the next transaction together. When nft refuses a
 * difference (somebody flushed the table), the whole table is written anew.
 *
 * UDP flows to endpoints that went away are forgotten where conntrack(8) is there, else they end with their time-out.
 *
 * What it does not do: IPv6.
 */
import { EndpointSlice, Node, Service } from '../../api/generated/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { type HealthCheck, HealthChecks, planHealthCheck } from './health-checks.ts';
import { emptyRuleset, renderDifference, renderWhole } from './render-difference.ts';
import { planRuleset, type Ruleset } from './ruleset.ts';
import { type Place, planServicePorts, type ServicePort } from './service-ports.ts';
import { planStaleFlows } from './stale-flows.ts';

export interface ProxyOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** the table's name: one per cluster and node */
  readonly table: string;
  /** the pods of all nodes */
  readonly podCidr: string;
  /** runs an nft script in the node's network namespace; rejects with nft's own words */
  readonly applyScript: (script: string) => Promise<void>;
  /** runs conntrack(8) there, and gives what it prints */
  readonly conntrack?: (...args: readonly string[]) => Promise<string>;
}

const retryMs = 1000;

const placeOf = (nodeName: string, node: Node | undefined): Place => ({
  nodeName,
  zone: node?.metadata.labels?.['topology.kubernetes.io/zone'],
  address: node?.status.addresses?.find(({ type, address }) => type === 'InternalIP' && !address.includes(':'))?.address,
});

export class ServiceProxy implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #ports = new Map<string, readonly ServicePort[]>();
  readonly #checks = new Map<string, HealthCheck>();
  readonly #checkPorts: HealthChecks;
  readonly #subscriptions: Disposable[] = [];
  #applied: Ruleset = emptyRuleset;
  #lastUdp = '';
  #whole = true;
  #dirty = false;
  #working: Promise<void> | undefined;
  #stopped = false;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#checkPorts = new HealthChecks(options.log);
  }

  /** Resolves when the first ruleset is in place. */
  static async start(options: ProxyOptions): Promise<ServiceProxy> {
    const proxy = new ServiceProxy(options);
    const services = options.client.informer(Service);
    const slices = options.client.informer(EndpointSlice);
    const { nodeName } = options;
    const nodes = options.client.informer(Node, { fieldSelector: `metadata.name=${nodeName}` });
    await Promise.all([services.synced, slices.synced, nodes.synced]);
    let here = placeOf(nodeName, nodes.get(nodeName));
    const slicesOf = slices.index('service', (slice) => {
      const name = slice.metadata.labels?.['kubernetes.io/service-name'];
      return name === undefined ? [] : [`${slice.metadata.namespace}/${name}`];
    });
    const replan = (key: string): void => {
      const service = services.get(key);
      const ports = service ? planServicePorts(service, slicesOf(key), here) : [];
      const check = service && planHealthCheck(service, slicesOf(key), options.nodeName);
      if (check) proxy.#checks.set(key, check);
      else proxy.#checks.delete(key);
      if (ports.length) proxy.#ports.set(key, ports);
      else if (!proxy.#ports.delete(key)) return;
      proxy.#changed();
    };
    const ofService = (service: Service): void => replan(keyOf(service));
    const ofSlice = (slice: EndpointSlice): void => {
      const name = slice.metadata.labels?.['kubernetes.io/service-name'];
      if (name !== undefined) replan(`${slice.metadata.namespace}/${name}`);
    };
    const ofNode = (node: Node): void => {
      const next = placeOf(nodeName, node);
      if (next.zone === here.zone && next.address === here.address) return;
      here = next;
      services.list().forEach(ofService);
    };
    proxy.#subscriptions.push(
      nodes.on({ added: ofNode, updated: ofNode }),
      services.on({ added: ofService, updated: ofService, deleted: ofService }),
      slices.on({ added: ofSlice, updated: ofSlice, deleted: ofSlice }),
    );
    proxy.#changed();
    await proxy.#working;
    return proxy;
  }

  /** What is in place now. */
  get ruleset(): Ruleset {
    return this.#applied;
  }

  /** Stops following. The rules stay: traffic goes on while the proxy restarts. `remove` takes them away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#working;
    await this.#checkPorts[Symbol.asyncDispose]();
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    const { table } = this.#options;
    await this.#options.applyScript(`add table ip ${table}\ndelete table ip ${table}\n`);
  }

  #changed(): void {
    this.#dirty = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      await Promise.resolve(); // the other changes of this turn belong to the same transaction
      try {
        await this.#checkPorts.set([...this.#checks.values()]);
        const ports = [...this.#ports.values()].flat();
        const want = planRuleset(ports);
        const { table } = this.#options;
        const script = this.#whole ? renderWhole(this.#options, want) : renderDifference(table, this.#applied, want);
        if (!script) continue;
        await this.#options.applyScript(script);
        this.#applied = want;
        this.#whole = false;
        await this.#forgetStaleFlows(ports);
      } catch (error) {
        this.#options.log.warn({ error }, this.#whole ? 'nft refused the ruleset' : 'nft refused a change; writing the whole table');
        this.#dirty = true;
        if (this.#whole) await this.#options.clock.sleep(retryMs);
        this.#whole = true;
      }
    }
  }
  /** No new ones arise once the rules are in place. What can't be forgotten ends by itself, later. */
  async #forgetStaleFlows(ports: readonly ServicePort[]): Promise<void> {
    const { conntrack, log } = this.#options;
    const udp = ports.filter(({ protocol }) => protocol === 'udp');
    const now = JSON.stringify(udp);
    if (!conntrack || now === this.#lastUdp) return;
    this.#lastUdp = now;
    try {
      for (const flow of planStaleFlows(await conntrack('--dump', '--proto', 'udp'), udp)) {
        // It fails when the flow ended meanwhile.
        await conntrack('--delete', '--proto', 'udp', ...flow).catch((error: unknown) => log.debug({ error }, 'a flow is gone already'));
      }
    } catch (error) {
      log.warn({ error }, 'UDP flows could not be listed');
    }
  }
}
