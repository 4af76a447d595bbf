/**
 * From Services and EndpointSlices to what the proxy has to do: one entry per service port, with the endpoints that
 * may be used. Pure. Readiness as upstream's kube-proxy has it: ready endpoints; when there is none, those that are
 * terminating but still serving. Upstream: pkg/proxy/topology.go, servicechangetracker.go.
 */
import type { EndpointHints } from '../../api/generated/discovery-v1.ts';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
}

export interface ServicePort {
  /** `namespace/name:port` */
  readonly id: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none */
  readonly nodePort: number;
  /** external and load-balancer addresses */
  readonly externalIPs: readonly string[];
  /** Those of a load balancer that let in only these ranges. */
  readonly guarded?: { readonly ips: readonly string[]; readonly ranges: readonly string[] };
  /** 0: no session affinity */
  readonly affinitySeconds: number;
  /** for traffic to the cluster IP */
  readonly endpoints: readonly ProxyEndpoint[];
  /** for traffic to node ports and external addresses */
  readonly externalEndpoints: readonly ProxyEndpoint[];
  /** externalTrafficPolicy Local: the client's address is kept */
  readonly keepsClientAddress: boolean;
}

const affinitySecondsDefault = 10_800;

/** Services and slices with one of these labels are none of this proxy's business. */
const notOurs = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];
export const isOurs = ({ metadata }: Service | EndpointSlice): boolean => !notOurs.some((label) => metadata.labels?.[label] !== undefined);

/** Headless and ExternalName services, and those without an address, have no entry. */
export function planServicePorts(service: Service, slices: readonly EndpointSlice[], here: Place): ServicePort[] {
  const { spec } = service;
  const clusterIP = spec.clusterIP;
  if (!isOurs(service) || !clusterIP || clusterIP === 'None' || clusterIP.includes(':') || spec.type === 'ExternalName') return [];
  const local = spec.externalTrafficPolicy === 'Local';
  const loadBalancerIPs = (service.status.loadBalancer?.ingress ?? []).flatMap((i) => (i.ip && i.ipMode !== 'Proxy' ? [i.ip] : []));
  const ranges = (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim()).filter((range) => !range.includes(':'));
  const isGuarded = loadBalancerIPs.length > 0 && ranges.length > 0 && !ranges.includes('0.0.0.0/0');
  return (spec.ports ?? []).map((port) => {
    const all = endpointsOf(slices, port.name ?? '', here.nodeName);
    const close = closeBy(all, here);
    return {
      id: `${service.metadata.namespace}/${service.metadata.name}:${port.name ?? ''}/${port.protocol ?? 'TCP'}`,
      protocol: (port.protocol ?? 'TCP').toLowerCase() as Protocol,
      clusterIP,
      port: port.port,
      nodePort: port.nodePort ?? 0,
      externalIPs: [...new Set([...(spec.externalIPs ?? []), ...loadBalancerIPs])].filter((ip) => !ip.includes(':')),
      ...(isGuarded && { guarded: { ips: loadBalancerIPs.filter((ip) => !ip.includes(':')), ranges } }),
      affinitySeconds:
        spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? affinitySecondsDefault) : 0,
      endpoints: usable(spec.internalTrafficPolicy === 'Local' ? all.filter((e) => e.isLocal) : close),
      externalEndpoints: usable(local ? all.filter((e) => e.isLocal) : close),
      keepsClientAddress: local,
    };
  });
}

interface Candidate extends ProxyEndpoint {
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly hints: EndpointHints | undefined;
}

/** Where the proxy is. */
export interface Place {
  readonly nodeName: string;
  /** of its node, where it is known */
  readonly zone?: string;
}

function endpointsOf(slices: readonly EndpointSlice[], portName: string, nodeName: string): Candidate[] {
  const byAddress = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4' || !isOurs(slice)) continue;
    for (const { name, port } of slice.ports ?? []) {
      if ((name ?? '') !== portName || port === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const ip = endpoint.addresses[0];
        if (ip === undefined) continue;
        const ready = endpoint.conditions?.ready !== false;
        const serving = endpoint.conditions?.serving ?? ready;
        const isLocal = endpoint.nodeName === nodeName;
        byAddress.set(`${ip}:${port}`, { ip, port, ready, serving, isLocal, hints: endpoint.hints });
      }
    }
  }
  return [...byAddress.values()].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : a.port - b.port));
}

/**
 * Those that are meant for this node, else for its zone, else all. A hint counts only where every ready endpoint has one:
 * else the slices are being changed, and some would get too much.
 */
function closeBy(all: readonly Candidate[], { nodeName, zone }: Place): readonly Candidate[] {
  const ready = all.filter((e) => e.ready);
  const meantFor = (names: (hints: EndpointHints) => readonly { readonly name: string }[] | undefined, name: string | undefined) => {
    const namesOf = ({ hints }: Candidate) => (hints && names(hints)) ?? [];
    return ready.every((e) => namesOf(e).length > 0) ? ready.filter((e) => namesOf(e).some((each) => each.name === name)) : [];
  };
  const forNode = meantFor(({ forNodes }) => forNodes, nodeName);
  if (forNode.length > 0) return forNode;
  const forZone = meantFor(({ forZones }) => forZones, zone);
  return forZone.length > 0 ? forZone : all;
}

/** The addresses of this node's ready endpoints. */
export const readyHere = (slices: readonly EndpointSlice[], nodeName: string): ReadonlySet<string> =>
  new Set(
    slices
      .filter(isOurs)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter((endpoint) => endpoint.nodeName === nodeName && endpoint.conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.slice(0, 1)),
  );

function usable(candidates: readonly Candidate[]): ProxyEndpoint[] {
  const ready = candidates.filter((e) => e.ready);
  const chosen = ready.length ? ready : candidates.filter((e) => e.serving);
  return chosen.map(({ ip, port }) => ({ ip, port }));
}
