/**
 * The names of the cluster, by the Kubernetes DNS specification 1.1.0 (github.com/kubernetes/dns): services, headless
 * services with their endpoints, ExternalName, SRV of named ports, pods by address, reverse lookups. Answers are read
 * off Services and EndpointSlices at the moment of the question; nothing is kept beside the informers' caches.
 *
 * What is not of the cluster's zone or addresses is `undefined`: somebody else's to answer. Pods are answered for any
 * address, as CoreDNS does with `pods insecure`.
 */
import type { Answer, RecordType } from 'dns-packet';
import type { Endpoint } from '../../api/generated/discovery-v1.ts';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';

/** What the zone reads. */
export interface ZoneSource {
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  serviceByIP(ip: string): Service | undefined;
  sliceByIP(ip: string): readonly EndpointSlice[];
}

export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN';
  readonly answers: readonly Answer[];
  readonly additionals: readonly Answer[];
  /** the SOA of a negative answer */
  readonly authorities: readonly Answer[];
}

const ttlSeconds = 5;
const dnsVersion = '1.1.0';

interface Target {
  readonly host: string;
  readonly ip: string;
}

export class ClusterZone {
  readonly #domain: string;
  readonly #source: ZoneSource;

  constructor(domain: string, source: ZoneSource) {
    this.#domain = domain.toLowerCase();
    this.#source = source;
  }

  /** `question` is a full name in any case, without the final dot. */
  resolve(question: string, type: RecordType): ZoneAnswer | undefined {
    const name = question.toLowerCase();
    if (name.endsWith('.in-addr.arpa')) return this.#reverse(question, name, type);
    if (name !== this.#domain && !name.endsWith(`.${this.#domain}`)) return undefined;
    const labels = name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split('.');
    const found = this.#find(labels);
    if (!found) return this.#negative('NXDOMAIN');
    const { answers, additionals } = renderRecords(question, type, found);
    return answers.length ? { rcode: 'NOERROR', answers, additionals, authorities: [] } : this.#negative('NOERROR');
  }

  /** What a name stands for; undefined when it does not exist. */
  #find(labels: readonly string[]): Found | undefined {
    if (labels.length === 0) return {};
    if (labels.length === 1 && labels[0] === 'dns-version') return { text: dnsVersion };
    const kind = labels.at(-1);
    const namespace = labels.at(-2);
    if (kind === 'pod') return this.#findPod(labels, namespace);
    if (kind !== 'svc') return undefined;
    if (namespace === undefined) return {};
    const serviceName = labels.at(-3);
    if (serviceName === undefined) return this.#source.hasNamespace(namespace) ? {} : undefined;
    const service = this.#source.service(namespace, serviceName);
    return service && this.#findInService(service, labels.slice(0, -3));
  }

  #findPod(labels: readonly string[], namespace: string | undefined): Found | undefined {
    if (namespace === undefined) return {};
    if (!this.#source.hasNamespace(namespace)) return undefined;
    if (labels.length === 2) return {};
    const ip = (labels[0] ?? '').replaceAll('-', '.');
    return labels.length === 3 && isIPv4(ip) ? { addresses: [ip] } : undefined;
  }

  #findInService(service: Service, rest: readonly string[]): Found | undefined {
    const { type, externalName } = service.spec;
    const base = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.#domain}`;
    if (type === 'ExternalName') return rest.length === 0 && externalName ? { alias: externalName } : undefined;
    const [first = '', second = ''] = rest;
    const asksPort = rest.length === 2 && first.startsWith('_') && second.startsWith('_');
    if (rest.length > 1 && !asksPort) return undefined;
    const headless = service.spec.clusterIP === 'None';
    if (!headless) {
      if (rest.length === 0)
        return { addresses: (service.spec.clusterIPs ?? [service.spec.clusterIP ?? '']).filter(isIPv4), ...servicePorts(service, base) };
      if (!asksPort) return undefined;
      const ports = (service.spec.ports ?? []).filter(
        (p) => p.name === first.slice(1) && (p.protocol ?? 'TCP').toLowerCase() === second.slice(1),
      );
      const target = { host: base, ip: service.spec.clusterIP ?? '' };
      return ports.length ? { services: ports.map((p) => ({ port: p.port, target })) } : undefined;
    }
    return this.#findInHeadless(service, base, rest, asksPort);
  }

  #findInHeadless(service: Service, base: string, rest: readonly string[], asksPort: boolean): Found | undefined {
    const slices = this.#source.slices(service.metadata.namespace, service.metadata.name).filter((slice) => slice.addressType === 'IPv4');
    const [first = '', second = ''] = rest;
    if (asksPort) {
      const services = slices.flatMap((slice) =>
        (slice.ports ?? [])
          .filter((p) => p.name === first.slice(1) && (p.protocol ?? 'TCP').toLowerCase() === second.slice(1))
          .flatMap((p) => readyEndpoints(slice).flatMap((e) => targetsOf(e, base).map((target) => ({ port: p.port ?? 0, target })))),
      );
      return services.length ? { services } : undefined;
    }
    const targets = slices.flatMap((slice) => readyEndpoints(slice).flatMap((e) => targetsOf(e, base)));
    if (rest.length === 1) {
      const addresses = targets.filter((t) => t.host === `${first}.${base}`).map((t) => t.ip);
      return addresses.length ? { addresses } : undefined;
    }
    const services = slices.flatMap((slice) =>
      (slice.ports ?? []).flatMap((p) =>
        readyEndpoints(slice).flatMap((e) => targetsOf(e, base).map((target) => ({ port: p.port ?? 0, target }))),
      ),
    );
    return { addresses: [...new Set(targets.map((t) => t.ip))], services };
  }

  #reverse(question: string, name: string, type: RecordType): ZoneAnswer | undefined {
    const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    const service = this.#source.serviceByIP(ip);
    const hosts = service
      ? [`${service.metadata.name}.${service.metadata.namespace}.svc.${this.#domain}`]
      : this.#source.sliceByIP(ip).flatMap((slice) => this.#hostsIn(slice, ip));
    if (hosts.length === 0) return undefined;
    if (type !== 'PTR') return this.#negative('NOERROR');
    return {
      rcode: 'NOERROR',
      answers: hosts.map((data) => ({ type: 'PTR', name: question, ttl: ttlSeconds, data })),
      additionals: [],
      authorities: [],
    };
  }

  #hostsIn(slice: EndpointSlice, ip: string): string[] {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (service === undefined) return [];
    const base = `${service}.${slice.metadata.namespace}.svc.${this.#domain}`;
    return readyEndpoints(slice)
      .flatMap((endpoint) => targetsOf(endpoint, base))
      .filter((target) => target.ip === ip)
      .map((target) => target.host);
  }

  #negative(rcode: 'NOERROR' | 'NXDOMAIN'): ZoneAnswer {
    const soa: Answer = {
      type: 'SOA',
      name: this.#domain,
      ttl: ttlSeconds,
      data: {
        mname: `ns.dns.${this.#domain}`,
        rname: `hostmaster.${this.#domain}`,
        serial: 1,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: ttlSeconds,
      },
    };
    return { rcode, answers: [], additionals: [], authorities: [soa] };
  }
}

/** What a name stands for. An empty one exists, but has no records of its own. */
interface Found {
  readonly addresses?: readonly string[];
  readonly services?: readonly { readonly port: number; readonly target: Target }[];
  readonly alias?: string;
  readonly text?: string;
}

function servicePorts(service: Service, host: string): Pick<Found, 'services'> {
  const target = { host, ip: service.spec.clusterIP ?? '' };
  return { services: (service.spec.ports ?? []).map((p) => ({ port: p.port, target })) };
}

function renderRecords(name: string, type: RecordType, found: Found): { answers: Answer[]; additionals: Answer[] } {
  if (found.alias !== undefined) return { answers: [{ type: 'CNAME', name, ttl: ttlSeconds, data: found.alias }], additionals: [] };
  switch (type) {
    case 'A':
      return { answers: (found.addresses ?? []).map((data) => ({ type: 'A', name, ttl: ttlSeconds, data })), additionals: [] };
    case 'TXT':
      return { answers: found.text === undefined ? [] : [{ type: 'TXT', name, ttl: ttlSeconds, data: found.text }], additionals: [] };
    case 'SRV': {
      const services = found.services ?? [];
      const weight = Math.floor(100 / Math.max(1, services.length));
      const answers = services.map(
        ({ port, target }): Answer => ({ type: 'SRV', name, ttl: ttlSeconds, data: { port, target: target.host, priority: 0, weight } }),
      );
      const byHost = new Map(services.map(({ target }) => [`${target.host} ${target.ip}`, target]));
      const additionals = [...byHost.values()].map(
        (target): Answer => ({ type: 'A', name: target.host, ttl: ttlSeconds, data: target.ip }),
      );
      return { answers, additionals };
    }
    default:
      return { answers: [], additionals: [] };
  }
}

const readyEndpoints = (slice: EndpointSlice): readonly Endpoint[] => (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false);

/** An endpoint is known by its hostname, else by its address with dashes. */
const targetsOf = (endpoint: Endpoint, base: string): Target[] =>
  endpoint.addresses.map((ip) => ({ ip, host: `${endpoint.hostname ?? ip.replaceAll('.', '-')}.${base}` }));

const isIPv4 = (text: string): boolean => /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
