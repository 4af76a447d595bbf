/**
 * The service proxy of one node: follows Services and EndpointSlices and keeps one nftables table of its own equal to
 * what they ask for (nft/kept-table.ts).
 *
 * It listens itself where rules do not reach: health check node ports, node ports on loopback, its own health.
 *
 * UDP flows to endpoints that went away are forgotten where conntrack(8) is there, else they end with their time-out.
 *
 * What it does not do: IPv6.
 */
import { EndpointSlice, Node, Service } from '../../api/generated/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { messageOf } from '../../api/meta/status-error.ts';
import { serviceNameLabel, zoneLabel } from '../../api/meta/well-known.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../client/clock.ts';
import type { EventRecorder } from '../../client/events/event-recorder.ts';
import type { Log } from '../../client/log.ts';
import { KeptTable, type NftTools } from '../nft/kept-table.ts';
import type { Ruleset } from '../nft/ruleset.ts';
import type { TableWatch } from '../nft/table-watch.ts';
import { HealthChecks, planHealthCheck, type ServiceHealthCheck } from './health-checks.ts';
import { LoopbackPorts, planLoopbackPorts } from './loopback-ports.ts';
import { ProxyHealth } from './proxy-health.ts';
import { createProxyMetrics, type ProxyMetrics } from './proxy-metrics.ts';
import { ProxyServer } from './proxy-server.ts';
import { planRuleset, servicesTable } from './ruleset.ts';
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
  readonly tools: NftTools;
  /** absent: a table that somebody deletes is missed when the next change comes */
  readonly watch?: TableWatch | undefined;
  /** runs conntrack(8) there, and gives what it prints */
  readonly conntrack?: ((...args: readonly string[]) => Promise<string>) | undefined;
  /** told of ports that another program has */
  readonly events?: EventRecorder;
  /** Serves node ports on loopback, and its own health there and at the node's address; absent: neither. */
  readonly listen?: { readonly address: string | undefined };
}

/** A port that the proxy should listen on and can't. */
interface Refusal {
  readonly port: number;
  readonly error: unknown;
  /** of its event */
  readonly reason: string;
  readonly what: string;
}

const placeOf = (nodeName: string, node: Node | undefined): Place => ({
  nodeName,
  zone: node?.metadata.labels?.[zoneLabel],
  address: node?.status.addresses?.find(({ type, address }) => type === 'InternalIP' && !address.includes(':'))?.address,
});

export class ServiceProxy implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #ports = new Map<string, readonly ServicePort[]>();
  readonly #checks = new Map<string, ServiceHealthCheck>();
  readonly #health: ProxyHealth;
  readonly #checkPorts: HealthChecks;
  readonly #loopback: LoopbackPorts | undefined;
  readonly #subscriptions: Disposable[] = [];
  readonly #table: KeptTable;
  #lastUdp = '';
  #metrics: ProxyMetrics | undefined;
  #server: ProxyServer | undefined;

  private constructor(options: ProxyOptions, refused: (service: string, about: Refusal) => void) {
    const { clock, log, listen } = options;
    this.#options = options;
    this.#health = new ProxyHealth(clock);
    this.#table = new KeptTable({
      table: servicesTable({ name: options.table, podCidr: options.podCidr }),
      watch: options.watch,
      tools: options.tools,
      clock,
      log,
      plan: () => this.#plan(),
      applied: (tookMs) => this.#inPlace(tookMs),
      refused: () => this.#metrics?.syncFailed(),
    });
    this.#checkPorts = new HealthChecks({
      isProxyHealthy: () => this.#health.isHealthy,
      refused: ({ service: { namespace, name }, port }, error) =>
        refused(`${namespace}/${name}`, { port, error, reason: 'FailedToStartServiceHealthcheck', what: 'healthcheck' }),
    });
    this.#loopback =
      listen &&
      new LoopbackPorts({
        clock,
        log,
        refused: ({ service, port }, error) =>
          refused(service, { port, error, reason: 'FailedToStartLoopbackNodePort', what: 'node port on loopback' }),
      });
  }

  /** Resolves when the first ruleset is in place. */
  static async start(options: ProxyOptions): Promise<ServiceProxy> {
    const { nodeName, listen, log } = options;
    const services = options.client.informer(Service);
    const slices = options.client.informer(EndpointSlice);
    const proxy = new ServiceProxy(options, (key, { port, error, reason, what }) => {
      const service = services.get(key);
      const message = `node ${nodeName} failed to start ${what} "${key}" on port ${port}: ${messageOf(error)}`;
      log.warn({ service: key, port, error }, message);
      if (service) options.events?.event(service, 'Warning', reason, message);
    });
    const nodes = options.client.informer(Node, { fieldSelector: `metadata.name=${nodeName}` });
    await Promise.all([services.synced, slices.synced, nodes.synced]);
    let here = placeOf(nodeName, nodes.get(nodeName));
    proxy.#health.seeNode(nodes.get(nodeName));
    if (listen) await proxy.#tell(listen);
    const slicesOf = slices.index('service', (slice) => {
      const name = slice.metadata.labels?.[serviceNameLabel];
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
    const ofService = (service: Service): void => {
      proxy.#metrics?.changed('service');
      replan(keyOf(service));
    };
    const ofSlice = (slice: EndpointSlice): void => {
      proxy.#metrics?.changed('endpoint');
      const name = slice.metadata.labels?.[serviceNameLabel];
      if (name !== undefined) replan(`${slice.metadata.namespace}/${name}`);
    };
    const ofNode = (node: Node): void => {
      proxy.#health.seeNode(node);
      const next = placeOf(nodeName, node);
      if (next.zone === here.zone && next.address === here.address) return;
      here = next;
      services.list().forEach(ofService);
    };
    proxy.#subscriptions.push(
      nodes.on({ added: ofNode, updated: ofNode, deleted: () => proxy.#health.seeNode(undefined) }),
      services.on({ added: ofService, updated: ofService, deleted: ofService }),
      slices.on({ added: ofSlice, updated: ofSlice, deleted: ofSlice }),
    );
    proxy.#changed();
    await proxy.#table.inPlace();
    return proxy;
  }

  /** What is in place now. */
  get ruleset(): Ruleset {
    return this.#table.ruleset;
  }

  /** Stops following. The rules stay: traffic goes on while the proxy restarts. `remove` takes them away. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    await this.#table[Symbol.asyncDispose]();
    await Promise.all([this.#checkPorts, this.#loopback, this.#server].map((ports) => ports?.[Symbol.asyncDispose]()));
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await this.#table.remove();
  }

  async #tell({ address }: { readonly address: string | undefined }): Promise<void> {
    const { Registry } = await import('prom-client');
    const [registry, health, { log }] = [new Registry(), this.#health, this.#options];
    const withoutLocal = (policy: 'internalPolicy' | 'externalPolicy'): number =>
      this.#allPorts().filter((port) => port[policy] === 'Local' && port.clusterEndpoints.length > 0 && port.localEndpoints.length === 0)
        .length;
    this.#metrics = await createProxyMetrics(registry, {
      times: () => health.times,
      withoutLocalEndpoints: () => ({ internal: withoutLocal('internalPolicy'), external: withoutLocal('externalPolicy') }),
    });
    this.#server = new ProxyServer({ address, health, metrics: this.#metrics, registry, log });
  }

  #allPorts(): readonly ServicePort[] {
    return [...this.#ports.values()].flat();
  }

  #changed(): void {
    this.#health.queued();
    this.#table.changed();
  }

  async #plan(): Promise<Ruleset> {
    const ports = this.#allPorts();
    await Promise.all([this.#checkPorts.set(this.#checks.values()), this.#loopback?.set(planLoopbackPorts(ports)), this.#server?.listen()]);
    return planRuleset(ports);
  }

  async #inPlace(tookMs: number | undefined): Promise<void> {
    if (tookMs !== undefined) this.#metrics?.synced(tookMs / 1000);
    await this.#forgetStaleFlows(this.#allPorts());
    if (!this.#table.isBehind) this.#health.updated();
  }

  /** No new ones arise once the rules are in place. What can't be forgotten ends by itself, later. */
  async #forgetStaleFlows(ports: readonly ServicePort[]): Promise<void> {
    const { conntrack, log } = this.#options;
    const udp = ports.filter(({ protocol }) => protocol === 'udp');
    const now = JSON.stringify(udp);
    if (!conntrack || now === this.#lastUdp) return;
    this.#lastUdp = now;
    try {
      const stale = planStaleFlows(await conntrack('--dump', '--proto', 'udp'), udp);
      this.#metrics?.flowsForgotten(stale.length);
      for (const flow of stale) {
        // It fails when the flow ended meanwhile.
        await conntrack('--delete', '--proto', 'udp', ...flow).catch((error: unknown) => log.debug({ error }, 'a flow is gone already'));
      }
    } catch (error) {
      log.warn({ error }, 'UDP flows could not be listed');
    }
  }
}
