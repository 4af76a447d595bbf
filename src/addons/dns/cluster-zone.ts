/**
 * The names of the cluster, by the Kubernetes DNS specification 1.1.0 (github.com/kubernetes/dns): services, headless
 * services with their endpoints, ExternalName, SRV of named ports, pods by address, reverse lookups; and the zone's own
 * SOA and NS. Answers are read off Services and EndpointSlices at the moment of the question; nothing is kept beside
 * the informers' caches. What the specification leaves open is as in CoreDNS with kubeadm's configuration: `pods
 * insecure` (a pod's name is answered for any address), `ttl 30`.
 *
 * What is not of the cluster's zone or addresses is `undefined`: somebody else's to answer. An alias is followed within
 * the zone; where it leaves it, the answer says to whom (`continueAt`).
 */
import { isIP, isIPv4, SocketAddress } from 'node:net';
import type { Endpoint } from '../../api/generated/discovery-v1.ts';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { serviceNameLabel } from '../../api/meta/well-known.ts';
import { type DNSName, type DNSRecord, encodeAddress, encodeText, encodeUint16s, parseName, type Rcode, recordTypes } from './message.ts';

/** What the zone reads. */
export interface ZoneSource {
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  serviceByIP(ip: string): Service | undefined;
  slicesByIP(ip: string): readonly EndpointSlice[];
  /** seconds since the epoch: the zone's serial number */
  changedAt(): number;
}

export interface ClusterZoneOptions {
  readonly domain: string;
  readonly source: ZoneSource;
  /** the Service under which the server publishes itself, and the address for when there is none */
  readonly nameServer: { readonly namespace: string; readonly name: string; readonly address: string };
}

export interface ZoneAnswer {
  readonly rcode: Rcode;
  readonly answers: readonly DNSRecord[];
  readonly additionals: readonly DNSRecord[];
  /** the SOA of a negative answer */
  readonly authorities: readonly DNSRecord[];
  /** the last alias among the answers leads out of the zone */
  readonly continueAt?: DNSName | undefined;
}

const ttlSeconds = 30;
const versionTTLSeconds = 28_800;
const dnsVersion = '1.1.0';
const aliasesMax = 11;
const soaTimes = { refresh: 7200, retry: 1800, expire: 86_400 } as const;

/** What a name stands for. An empty one exists, but has no records of its own. */
interface Found {
  readonly hosts?: readonly Host[];
  readonly alias?: DNSName;
  readonly text?: string;
}
interface Host {
  readonly name: DNSName;
  readonly ip: string;
  /** absent: none that SRV could tell */
  readonly port?: number | undefined;
}
/** What stands before a service's name: nothing, an endpoint, or a port and its protocol. */
interface Part {
  readonly endpoint?: string;
  readonly port?: string;
  readonly protocol?: string;
}

export class ClusterZone {
  readonly #domain: DNSName;
  readonly #source: ZoneSource;
  readonly #nameServer: ClusterZoneOptions['nameServer'];

  constructor({ domain, source, nameServer }: ClusterZoneOptions) {
    this.#domain = parseName(domain.toLowerCase());
    this.#source = source;
    this.#nameServer = nameServer;
  }

  resolve(question: DNSName, type: number): ZoneAnswer | undefined {
    const name = question.map((label) => label.toLowerCase());
    const ip = addressOfReverse(name);
    if (ip !== undefined) return this.#reverse(question, ip, type);
    if (!isBelow(name, this.#domain)) return undefined;
    // in the case in which it was asked, as everything that is told below it
    const zone = question.slice(question.length - this.#domain.length);
    const found = this.#find(name, zone);
    if (!found) return this.#negative('NXDOMAIN', zone);
    if (found.alias) return this.#followAlias(question, found.alias, type, zone);
    if (type === recordTypes.SOA && name.length === zone.length) return positive([this.#soa(zone)]);
    if (type === recordTypes.NS && name.length === zone.length) return renderNameServers(question, this.#nameServers(zone));
    const { answers, additionals } = renderRecords(question, type, found);
    return answers.length ? positive(answers, additionals) : this.#negative('NOERROR', zone);
  }

  /** What a name of the zone stands for; undefined when it does not exist. */
  #find(name: DNSName, zone: DNSName): Found | undefined {
    const labels = name.slice(0, name.length - zone.length);
    const [kind, namespace, subject, ...before] = labels.toReversed();
    if (kind === undefined) return {};
    if (labels.length === 1 && kind === 'dns-version') return { text: dnsVersion };
    if (labels.length === 2 && kind === 'dns' && namespace === 'ns')
      return { hosts: this.#nameServers(zone).map(({ ip }) => ({ name, ip })) };
    if (kind !== 'svc' && kind !== 'pod') return undefined;
    if (namespace === undefined) return {};
    if (before.length > 2 || !this.#source.hasNamespace(namespace)) return undefined;
    if (subject === undefined) return {};
    if (kind === 'pod') return findPod(subject, [subject, namespace, kind, ...zone]);
    const service = this.#source.service(namespace, subject);
    return service && this.#findInService(service, parsePart(before), zone);
  }

  #findInService(service: Service, part: Part, zone: DNSName): Found | undefined {
    const { namespace, name } = service.metadata;
    const { type, externalName = '', clusterIP = '', clusterIPs = [clusterIP] } = service.spec;
    if (type === 'ExternalName') {
      const namesNothing = part.endpoint || part.port || part.protocol || externalName === '' || isIP(externalName);
      return namesNothing ? undefined : { alias: parseName(externalName) };
    }
    const base: DNSName = [name, namespace ?? '', 'svc', ...zone];
    const hosts =
      clusterIP === 'None' || part.endpoint !== undefined
        ? this.#source.slices(namespace ?? '', name).flatMap((slice) => hostsOfSlice(slice, base, part))
        : (service.spec.ports ?? [])
            .filter((port) => matchesPort(part, port))
            .flatMap(({ port }) => clusterIPs.filter((ip) => isIP(ip)).map((ip) => ({ name: base, ip, port })));
    return hosts.length ? { hosts } : undefined;
  }

  /** CNAME after CNAME until there are records of the type asked for; without any, the name has no such record. */
  #followAlias(question: DNSName, first: DNSName, type: number, zone: DNSName): ZoneAnswer {
    const { A, AAAA, CNAME } = recordTypes;
    if (type === CNAME) return positive([aliasRecord(question, first)]);
    const nothing = this.#negative('NOERROR', zone);
    if (type !== A && type !== AAAA) return nothing;
    const chain: DNSRecord[] = [];
    const seen = new Set<string>();
    let owner = question;
    let target: DNSName | undefined = first;
    while (target) {
      seen.add(owner.join('.').toLowerCase());
      const name = target.map((label) => label.toLowerCase());
      if (seen.has(name.join('.')) || chain.length >= aliasesMax) return nothing;
      chain.push(aliasRecord(owner, target));
      if (!isBelow(name, this.#domain)) return { ...positive(chain), continueAt: target };
      const found = this.#find(name, this.#domain);
      const records = found ? renderRecords(target, type, found).answers : [];
      if (records.length) return positive([...chain, ...records]);
      owner = target;
      target = found?.alias;
    }
    return nothing;
  }

  #reverse(question: DNSName, ip: string, type: number): ZoneAnswer | undefined {
    const service = this.#source.serviceByIP(ip);
    const names = service
      ? [[service.metadata.name, service.metadata.namespace ?? '', 'svc', ...this.#domain]]
      : this.#source.slicesByIP(ip).flatMap((slice) => this.#namesInSlice(slice, ip));
    if (names.length === 0) return undefined;
    if (type !== recordTypes.PTR) return this.#negative('NOERROR', question.slice(-2));
    const distinct = new Map(names.map((name) => [name.join('.'), name]));
    return positive([...distinct.values()].map((name) => ({ name: question, type, ttl: ttlSeconds, data: [name] })));
  }

  #namesInSlice(slice: EndpointSlice, ip: string): DNSName[] {
    const service = slice.metadata.labels?.[serviceNameLabel];
    if (service === undefined) return [];
    const base = [service, slice.metadata.namespace ?? '', 'svc', ...this.#domain];
    return hostsOfSlice(slice, base, {}).flatMap((host) => (host.ip === ip ? [host.name] : []));
  }

  #nameServers(zone: DNSName): Host[] {
    const { namespace, name, address } = this.#nameServer;
    const ips = (this.#source.service(namespace, name)?.spec.clusterIPs ?? []).filter((ip) => isIP(ip));
    if (ips.length === 0) return [{ name: ['ns', 'dns', ...zone], ip: address }];
    return ips.map((ip) => ({ name: [name, namespace, 'svc', ...zone], ip }));
  }

  #negative(rcode: Rcode, zone: DNSName): ZoneAnswer {
    return { rcode, answers: [], additionals: [], authorities: [this.#soa(zone)] };
  }

  #soa(zone: DNSName): DNSRecord {
    const { refresh, retry, expire } = soaTimes;
    const numbers = [this.#source.changedAt(), refresh, retry, expire, ttlSeconds];
    const times = encodeUint16s(...numbers.flatMap((number) => [number >>> 16, number & 0xffff]));
    return { name: zone, type: recordTypes.SOA, ttl: ttlSeconds, data: [['ns', 'dns', ...zone], ['hostmaster', ...zone], times] };
  }
}

const positive = (answers: readonly DNSRecord[], additionals: readonly DNSRecord[] = []): ZoneAnswer => ({
  rcode: 'NOERROR',
  answers,
  additionals,
  authorities: [],
});

function renderRecords(name: DNSName, type: number, { hosts = [], text }: Found): { answers: DNSRecord[]; additionals: DNSRecord[] } {
  switch (type) {
    case recordTypes.A:
    case recordTypes.AAAA:
      return { answers: addressRecords(hosts.map(({ ip }) => ({ name, ip }))).filter((record) => record.type === type), additionals: [] };
    case recordTypes.TXT:
      return { answers: text === undefined ? [] : [{ name, type, ttl: versionTTLSeconds, data: [encodeText(text)] }], additionals: [] };
    case recordTypes.SRV: {
      const served = hosts.filter(({ port }) => port !== undefined);
      const weight = Math.max(1, Math.floor(100 / served.length));
      // a port that is served by UDP and by TCP is one record
      const distinct = new Map(served.map((host) => [`${host.port} ${host.name[0]}`, host]));
      const answers = [...distinct.values()].map(
        (host): DNSRecord => ({ name, type, ttl: ttlSeconds, data: [encodeUint16s(0, weight, host.port ?? 0), host.name] }),
      );
      return { answers, additionals: addressRecords(served) };
    }
    default:
      return { answers: [], additionals: [] };
  }
}

function renderNameServers(zone: DNSName, hosts: readonly Host[]): ZoneAnswer {
  const names = new Map(hosts.map(({ name }) => [name[0], name]));
  const answers = [...names.values()].map((name): DNSRecord => ({ name: zone, type: recordTypes.NS, ttl: ttlSeconds, data: [name] }));
  return positive(answers, addressRecords(hosts));
}

/** One record per name and address. The hosts of one answer differ in their first label only. */
function addressRecords(hosts: readonly Host[]): DNSRecord[] {
  const distinct = new Map(hosts.map((host) => [`${host.ip} ${host.name[0]}`, host]));
  return [...distinct.values()].flatMap(({ name, ip }) => {
    const bytes = encodeAddress(ip);
    return bytes ? [{ name, type: bytes.length === 4 ? recordTypes.A : recordTypes.AAAA, ttl: ttlSeconds, data: [bytes] }] : [];
  });
}

const aliasRecord = (name: DNSName, target: DNSName): DNSRecord => ({ name, type: recordTypes.CNAME, ttl: ttlSeconds, data: [target] });

const isBelow = (name: DNSName, zone: DNSName): boolean => {
  const start = name.length - zone.length;
  return start >= 0 && zone.every((label, i) => label === name[start + i]);
};

/** `10-0-0-7` or `2001-db8--7`: any address, whether a pod has it or not. */
function findPod(label: string, name: DNSName): Found | undefined {
  const isDotted = label.split('-').length === 4 && !label.includes('--');
  const ip = label.replaceAll('-', isDotted ? '.' : ':');
  return isIP(ip) ? { hosts: [{ name, ip, port: 0 }] } : undefined;
}

/** `before` reads from the service outwards. The underscores of port and protocol may be missing. */
function parsePart([first, second]: readonly string[]): Part {
  if (first === undefined) return {};
  if (second === undefined) return { endpoint: first };
  return { port: second.replace(/^_/, ''), protocol: first.replace(/^_/, '') };
}

const matchesPort = (part: Part, port: { readonly name?: string | undefined; readonly protocol?: string | undefined }): boolean =>
  (!part.port || part.port === port.name?.toLowerCase()) && (!part.protocol || part.protocol === port.protocol?.toLowerCase());

/** The ready endpoints, each with each port; one without ports still has its addresses. */
function hostsOfSlice(slice: EndpointSlice, base: DNSName, part: Part): Host[] {
  if (slice.addressType === 'FQDN') return [];
  const ports = (slice.ports?.length ? slice.ports : [{}]).filter((port) => matchesPort(part, port));
  const hosts: Host[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    if (endpoint.conditions?.ready === false) continue;
    for (const ip of endpoint.addresses) {
      const label = endpointLabel(endpoint, ip);
      if (part.endpoint !== undefined && part.endpoint !== label.toLowerCase()) continue;
      const name = [label, ...base];
      for (const { port } of ports) hosts.push({ name, ip, port });
    }
  }
  return hosts;
}

/** An endpoint is known by its hostname, else by its address with dashes. */
const endpointLabel = ({ hostname }: Endpoint, ip: string): string => hostname || ip.replaceAll(/[.:]/g, '-').replace(/-$/, '-0');

/** `7.0.96.10.in-addr.arpa`, or 32 hexadecimal digits below `ip6.arpa`. */
function addressOfReverse(name: DNSName): string | undefined {
  const zone = name.slice(-2).join('.');
  const parts = name.slice(0, -2).reverse();
  if (zone === 'in-addr.arpa') {
    const ip = parts.join('.');
    return isIPv4(ip) ? ip : undefined;
  }
  if (zone !== 'ip6.arpa' || parts.length !== 32 || !parts.every((part) => /^[\da-f]$/.test(part))) return undefined;
  const words = Array.from({ length: 8 }, (_, i) => parts.slice(4 * i, 4 * i + 4).join(''));
  return new SocketAddress({ address: words.join(':'), family: 'ipv6' }).address;
}
