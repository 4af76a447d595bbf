/**
 * From Services and EndpointSlices to what the proxy has to do: one entry per service port, with the endpoints that
 * each traffic policy may use here. Pure. Readiness as upstream's kube-proxy has it: ready endpoints; when there is none,
 * those that are terminating but still serving, for either policy by itself.
 * Upstream: pkg/proxy/topology.go, serviceport.go, endpointslicecache.go.
 */
import type { EndpointHints } from '../../api/generated/discovery-v1.ts';
import type { EndpointSlice, Service } from '../../api/generated/kinds.ts';
import { headlessLabel } from '../../api/meta/well-known.ts';
import { own } from '../../api/meta/words.ts';
import { isInCidr, parseCidr } from '../network/cidr.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
}

/** Whether traffic may go to all nodes or to this one only. */
export type TrafficPolicy = 'Cluster' | 'Local';

export interface ServicePort {
  /** `namespace/name:port/protocol` */
  readonly id: string;
  readonly protocol: Protocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none */
  readonly nodePort: number;
  /** external and load-balancer addresses */
  readonly externalIPs: readonly string[];
  /** The load balancer's addresses, where they let in only these ranges. */
  readonly guarded?: { readonly ips: readonly string[]; readonly ranges: readonly string[] } | undefined;
  /** 0: no session affinity */
  readonly affinitySeconds: number;
  /** for traffic to the cluster IP */
  readonly internalPolicy: TrafficPolicy;
  /** for traffic to node ports and external addresses; Local keeps the client's address */
  readonly externalPolicy: TrafficPolicy;
  /** What the policy Cluster uses. None: the service has no usable endpoint on any node. */
  readonly clusterEndpoints: readonly ProxyEndpoint[];
  /** What the policy Local uses: this node's. */
  readonly localEndpoints: readonly ProxyEndpoint[];
}

const affinitySecondsDefault = 10_800;

/** Services and slices with one of these labels are none of this proxy's business. */
const notOurs = ['service.kubernetes.io/service-proxy-name', headlessLabel];
export const isOurs = ({ metadata }: Service | EndpointSlice): boolean =>
  !notOurs.some((label) => own(metadata.labels, label) !== undefined);

/** What a policy leads to. */
export const endpointsBy = (port: ServicePort, policy: TrafficPolicy): readonly ProxyEndpoint[] =>
  policy === 'Local' ? port.localEndpoints : port.clusterEndpoints;

/** Headless and ExternalName services, and those without an address, have no entry. */
export function planServicePorts(service: Service, slices: readonly EndpointSlice[], here: Place): ServicePort[] {
  const { spec, metadata } = service;
  const clusterIP = spec.clusterIP;
  if (!isOurs(service) || !clusterIP || clusterIP === 'None' || clusterIP.includes(':') || spec.type === 'ExternalName') return [];
  const loadBalancerIPs = (service.status.loadBalancer?.ingress ?? []).flatMap((i) =>
    i.ip && !i.ip.includes(':') && i.ipMode !== 'Proxy' ? [i.ip] : [],
  );
  const guarded = planGuard(spec.loadBalancerSourceRanges, loadBalancerIPs, here);
  return (spec.ports ?? []).map((port) => {
    const all = endpointsOf(slices, port.name ?? '', here.nodeName);
    return {
      id: `${metadata.namespace}/${metadata.name}:${port.name ?? ''}/${port.protocol ?? 'TCP'}`,
      protocol: (port.protocol ?? 'TCP').toLowerCase() as Protocol,
      clusterIP,
      port: port.port,
      nodePort: port.nodePort ?? 0,
      externalIPs: [...new Set([...(spec.externalIPs ?? []), ...loadBalancerIPs])].filter((ip) => !ip.includes(':')),
      guarded,
      affinitySeconds:
        spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? affinitySecondsDefault) : 0,
      internalPolicy: spec.internalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      externalPolicy: spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      clusterEndpoints: usable(closeBy(all, here)),
      localEndpoints: usable(all.filter((e) => e.isLocal)),
    };
  });
}

/** A node in the ranges that has the address as its own asks itself from that very address. */
function planGuard(sourceRanges: readonly string[] | undefined, ips: readonly string[], { address }: Place): ServicePort['guarded'] {
  const ranges = (sourceRanges ?? []).map((range) => range.trim()).filter((range) => !range.includes(':'));
  if (ips.length === 0 || ranges.length === 0 || ranges.some((range) => range.endsWith('/0'))) return undefined;
  const letsNodeIn = address !== undefined && ranges.some((range) => isInCidr(parseCidr(range), address));
  return { ips, ranges: letsNodeIn ? [...ranges, ...ips] : ranges };
}

interface Candidate extends ProxyEndpoint {
  readonly isLocal: boolean;
  readonly ready: boolean;
  /** on its way out, and still answering */
  readonly draining: boolean;
  readonly hints: EndpointHints | undefined;
}

/** Where the proxy is. */
export interface Place {
  readonly nodeName: string;
  /** of its node, where it is known */
  readonly zone?: string | undefined;
  /** the node's own, where it is known */
  readonly address?: string | undefined;
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
        const { ready = true, serving = true, terminating = false } = endpoint.conditions ?? {};
        const isLocal = endpoint.nodeName === nodeName;
        const key = `${ip}:${port}`;
        // The address of a pod that goes may be a new pod's already.
        if (terminating && byAddress.has(key)) continue;
        byAddress.set(key, { ip, port, ready, draining: serving && terminating, isLocal, hints: endpoint.hints });
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
    const hinted = ({ hints }: Candidate) => (hints && names(hints)) ?? [];
    return ready.every((e) => hinted(e).length > 0) ? ready.filter((e) => hinted(e).some((each) => each.name === name)) : [];
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
  const chosen = ready.length ? ready : candidates.filter((e) => e.draining);
  return chosen.map(({ ip, port }) => ({ ip, port }));
}
