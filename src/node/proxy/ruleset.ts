/**
 * The proxy's whole nftables table as data, planned from service ports. Pure; nft/ruleset.ts renders differences.
 *
 *   nat prerouting, output  -> chain `services`: look the destination up in `service-ips`, node ports in `node-ports`
 *   `svc-…`                 traffic policy Cluster: one dnat rule with a random choice among a service port's endpoints
 *   `loc-…`                 traffic policy Local: the same among the node's own endpoints
 *   `ext-…`                 before them, for node ports and external addresses: marks for masquerading; with the policy
 *                           Local, what the node itself and pods ask goes to `svc-…` all the same, the rest to `loc-…`
 *   `ep-…`                  per endpoint, only with session affinity: a set of clients with a time-out sticks to it,
 *                           whichever policy led there
 *   `fw-…`                  for load balancers that let in only some ranges: drops the others, before all that
 *   nat postrouting         masquerades what is marked, and pods that reach themselves through a service (`hairpin`)
 *   filter hooks            what no chain above took: refused where the service has no endpoints at all, dropped where the
 *                           policy alone leaves none here (a load balancer's health check decides); other ports of
 *                           service addresses are refused
 *
 * Upstream: pkg/proxy/nftables/proxier.go.
 */
import { createHash } from 'node:crypto';
import type { Ruleset, Table } from '../nft/ruleset.ts';
import { endpointsBy, type ProxyEndpoint, type ServicePort, type TrafficPolicy } from './service-ports.ts';

/** All are in the base. */
const elementNames = ['service-ips', 'node-ports', 'guarded-ips', 'unserved-ips', 'unserved-node-ports', 'cluster-ips', 'hairpin'] as const;
type ElementsName = (typeof elementNames)[number];

const masqueradeMark = '0x4000';
const markForMasquerade = `meta mark set meta mark or ${masqueradeMark}`;

/** `podCidr`: the pods of all nodes. */
export const servicesTable = ({ name, podCidr }: { readonly name: string; readonly podCidr: string }): Table => ({
  family: 'ip',
  name,
  base: `\
  set pods { type ipv4_addr; flags interval; elements = { ${podCidr} }; }
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  map guarded-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map unserved-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map unserved-node-ports { type inet_proto . inet_service : verdict; }
  set cluster-ips { type ipv4_addr; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain refuse { reject; }
  chain guard { ip daddr . meta l4proto . th dport vmap @guarded-ips; }
  chain guard-prerouting { type filter hook prerouting priority -110; policy accept; ct state new jump guard; }
  chain guard-output { type filter hook output priority -110; policy accept; ct state new jump guard; }
  chain services {
    ip daddr @cluster-ips ip saddr != @pods ${markForMasquerade}
    ip daddr . meta l4proto . th dport vmap @service-ips
    ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @node-ports
  }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; jump services; }
  chain output { type nat hook output priority -100; policy accept; jump services; }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark xor ${masqueradeMark} masquerade fully-random
    ip saddr . ip daddr @hairpin masquerade fully-random
  }
  chain unserved {
    ip daddr . meta l4proto . th dport vmap @unserved-ips
    ip daddr @cluster-ips reject
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    ct state new ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @unserved-node-ports
    ct state new jump unserved
  }
  chain filter-forward { type filter hook forward priority filter; policy accept; ct state new jump unserved; }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    ct state new ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @unserved-node-ports
    ct state new jump unserved
  }
`,
});

class Draft {
  readonly chains = new Map<string, readonly string[]>();
  readonly elements = new Map<ElementsName, Map<string, string>>(elementNames.map((name) => [name, new Map()]));
  /** those of session affinity: clients, with a time-out */
  readonly sets = new Map<string, string>();

  add(name: ElementsName, key: string, value = ''): void {
    this.elements.get(name)?.set(key, value);
  }
}

export function planRuleset(ports: Iterable<ServicePort>): Ruleset {
  const draft = new Draft();
  for (const port of ports) planPort(port, draft);
  return draft;
}

function planPort(port: ServicePort, draft: Draft): void {
  const key = shortHash(port.id);
  const { protocol, clusterEndpoints, localEndpoints, internalPolicy, externalPolicy } = port;
  const chainOf = { Cluster: `svc-${key}`, Local: `loc-${key}` } satisfies Record<TrafficPolicy, string>;
  // Judged before a policy narrows the list.
  const isServed = clusterEndpoints.length > 0;
  const unserved = isServed ? 'drop' : 'goto refuse';
  draft.add('cluster-ips', port.clusterIP);
  for (const { ip } of [...clusterEndpoints, ...localEndpoints]) draft.add('hairpin', `${ip} . ${ip}`);

  const inside = `${port.clusterIP} . ${protocol} . ${port.port}`;
  if (endpointsBy(port, internalPolicy).length > 0) draft.add('service-ips', inside, `goto ${chainOf[internalPolicy]}`);
  else draft.add('unserved-ips', inside, unserved);

  if (port.guarded) {
    const { ips, ranges } = port.guarded;
    draft.chains.set(`fw-${key}`, [...ranges.map((range) => `ip saddr ${range} return`), 'drop']);
    for (const ip of ips) draft.add('guarded-ips', `${ip} . ${protocol} . ${port.port}`, `goto fw-${key}`);
  }

  const outside = port.externalIPs.map((ip) => `${ip} . ${protocol} . ${port.port}`);
  const nodePorts = port.nodePort ? [`${protocol} . ${port.nodePort}`] : [];
  const isExternal = outside.length + nodePorts.length > 0;
  if (isExternal && isServed) {
    draft.chains.set(`ext-${key}`, planExternal(port, chainOf));
    for (const element of outside) draft.add('service-ips', element, `goto ext-${key}`);
    for (const element of nodePorts) draft.add('node-ports', element, `goto ext-${key}`);
  }
  if (endpointsBy(port, externalPolicy).length === 0) {
    for (const element of outside) draft.add('unserved-ips', element, unserved);
    for (const element of nodePorts) draft.add('unserved-node-ports', element, unserved);
  }

  // With the policy Local, too, what comes from inside the cluster to an external address goes to all endpoints.
  if (isServed && (isExternal || internalPolicy === 'Cluster')) planBalancing(chainOf.Cluster, port, clusterEndpoints, draft);
  if (localEndpoints.length > 0 && (internalPolicy === 'Local' || (isExternal && externalPolicy === 'Local')))
    planBalancing(chainOf.Local, port, localEndpoints, draft);
}

function planExternal({ externalPolicy, localEndpoints }: ServicePort, chainOf: Readonly<Record<TrafficPolicy, string>>): string[] {
  if (externalPolicy === 'Cluster') return [markForMasquerade, `goto ${chainOf.Cluster}`];
  return [
    `ip saddr @pods goto ${chainOf.Cluster}`,
    `fib saddr type local ${markForMasquerade} goto ${chainOf.Cluster}`,
    ...(localEndpoints.length > 0 ? [`goto ${chainOf.Local}`] : []),
  ];
}

function planBalancing(chain: string, port: ServicePort, endpoints: readonly ProxyEndpoint[], draft: Draft): void {
  const { protocol, affinitySeconds } = port;
  if (affinitySeconds === 0) {
    draft.chains.set(chain, [`meta l4proto ${protocol} ${dnatTo(endpoints)}`]);
    return;
  }
  const names = endpoints.map((endpoint) => shortHash(`${port.id} ${endpoint.ip}:${endpoint.port} ${affinitySeconds}`));
  const stick = names.map((name) => `ip saddr @aff-${name} goto ep-${name}`);
  const choose = `numgen random mod ${names.length} vmap { ${names.map((name, i) => `${i} : goto ep-${name}`).join(', ')} }`;
  draft.chains.set(chain, [...stick, choose]);
  endpoints.forEach((endpoint, i) => {
    const name = names[i] ?? '';
    draft.sets.set(`aff-${name}`, `set { type ipv4_addr; flags dynamic,timeout; timeout ${affinitySeconds}s; }`);
    draft.chains.set(`ep-${name}`, [`update @aff-${name} { ip saddr }`, `meta l4proto ${protocol} ${dnatTo([endpoint])}`]);
  });
}

function dnatTo(endpoints: readonly ProxyEndpoint[]): string {
  const [first] = endpoints;
  if (endpoints.length === 1 && first) return `dnat to ${first.ip}:${first.port}`;
  const choices = endpoints.map(({ ip, port }, i) => `${i} : ${ip} . ${port}`).join(', ');
  return `dnat ip to numgen random mod ${endpoints.length} map { ${choices} }`;
}

/** Names in nftables have at most 128 characters: a hash keeps any service's in bounds. */
const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
