/**
 * Node ports on 127.0.0.1 (ADR 19). The proxy's rules leave loopback alone, as upstream's do in this mode, so that no
 * packet with a loopback address ever leaves or enters the node. Here the node itself listens on 127.0.0.1:PORT and passes
 * on what its own programs say there.
 *
 * Guarantees: listens on 127.0.0.1 alone, on ports of Services alone, and only while a port has an endpoint by the
 * external traffic policy; connects to endpoints alone, never to loopback. A port that another program has stays that
 * program's. Ports, connections and flows are bounded, no port holds them all, idle ones end, and none
 * outlives its disposal.
 *
 * What it does not do: SCTP, IPv6, source ranges (they are the load balancer's).
 */
import type { Clock } from '../../client/clock.ts';
import type { Log } from '../../client/log.ts';
import { OpenPorts } from './open-ports.ts';
import { Relays } from './relays.ts';
import { endpointsBy, type ProxyEndpoint, type ServicePort } from './service-ports.ts';

export interface LoopbackPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** `namespace/name` of its Service */
  readonly service: string;
  readonly endpoints: readonly ProxyEndpoint[];
  readonly affinitySeconds: number;
}

export const loopbackPortsMax = 1024;
const loopback = '127.0.0.1';
/** No node's or pod's own addresses: from the node they would lead to the node itself. */
const isNowhere = /^(0|127|169\.254|22[4-9]|2[3-5]\d)\./;

/** By `tcp/30080`. The first `loopbackPortsMax`. */
export function planLoopbackPorts(ports: Iterable<ServicePort>): Map<string, LoopbackPort> {
  const planned = new Map<string, LoopbackPort>();
  for (const port of ports) {
    const { nodePort, protocol, id, affinitySeconds } = port;
    if (!nodePort || protocol === 'sctp' || planned.size >= loopbackPortsMax) continue;
    const endpoints = endpointsBy(port, port.externalPolicy).filter(({ ip }) => !isNowhere.test(ip));
    if (endpoints.length === 0) continue;
    const service = id.slice(0, id.indexOf(':'));
    planned.set(`${protocol}/${nodePort}`, { protocol, port: nodePort, service, endpoints, affinitySeconds });
  }
  return planned;
}

export interface LoopbackPortsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly refused: (port: LoopbackPort, error: unknown) => void;
}

interface Choice {
  readonly endpoint: ProxyEndpoint;
  readonly atMs: number;
}

export class LoopbackPorts implements AsyncDisposable {
  readonly #options: LoopbackPortsOptions;
  readonly #relays: Relays;
  readonly #open: OpenPorts;
  readonly #last = new Map<string, Choice>();
  #ports: ReadonlyMap<string, LoopbackPort> = new Map();

  constructor(options: LoopbackPortsOptions) {
    this.#options = options;
    this.#relays = new Relays(options.clock);
    this.#open = new OpenPorts((key, error) => {
      const port = this.#ports.get(key);
      if (port) options.refused(port, error);
    });
  }

  /** These, and no others. */
  async set(ports: ReadonlyMap<string, LoopbackPort>): Promise<void> {
    if (ports.size === loopbackPortsMax && this.#ports.size < loopbackPortsMax)
      this.#options.log.warn({ loopbackPortsMax }, 'no more node ports are served on 127.0.0.1');
    this.#ports = ports;
    for (const key of this.#last.keys()) if (!ports.has(key)) this.#last.delete(key);
    await this.#open.set(new Map([...ports].map(([key, port]) => [key, () => this.#listen(key, port)])));
  }

  #listen(key: string, { protocol, port }: LoopbackPort): Promise<AsyncDisposable> {
    const leadsTo = (endpoint: ProxyEndpoint): boolean => this.#placeOf(key, endpoint) >= 0;
    const relay = { host: loopback, port, choose: () => this.#choose(key), leadsTo };
    return protocol === 'tcp' ? this.#relays.tcp(relay) : this.#relays.udp(relay);
  }

  /** The next in turn; with session affinity the one before, while it is there and was asked lately. */
  #choose(key: string): ProxyEndpoint | undefined {
    const { endpoints = [], affinitySeconds = 0 } = this.#ports.get(key) ?? {};
    const atMs = this.#options.clock.monotonic();
    const last = this.#last.get(key);
    const place = last ? this.#placeOf(key, last.endpoint) : -1;
    const sticks = last !== undefined && place >= 0 && atMs - last.atMs < affinitySeconds * 1000;
    const endpoint = endpoints[sticks ? place : (place + 1) % endpoints.length];
    if (endpoint) this.#last.set(key, { endpoint, atMs });
    return endpoint;
  }

  #placeOf(key: string, { ip, port }: ProxyEndpoint): number {
    return this.#ports.get(key)?.endpoints.findIndex((endpoint) => endpoint.ip === ip && endpoint.port === port) ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open[Symbol.asyncDispose]();
    await this.#relays[Symbol.asyncDispose]();
  }
}
