/**
 * The proxy's whole nftables table as data, planned from service ports. Pure; apply-ruleset.ts renders differences.
 *
 *   nat prerouting, output  -> chain `services`: look the destination up in `service-ips`, node ports in `node-ports`
 *   `svc-…`                 one chain per service port: one dnat rule with a random choice among its endpoints
 *   `ext-…`                 before it, for traffic from outside: marks it for masquerading; with externalTrafficPolicy
 *                           Local only what comes from the node itself and from pods goes there, the rest to `loc-…`
 *   `loc-…`                 as `svc-…`, among the node's own endpoints
 *   `ep-…`                  per endpoint, only with session affinity: a set of clients with a time-out sticks to it
 *   `fw-…`                  for load balancers that let in only some ranges: drops the others, before all that
 *   nat postrouting         masquerades what is marked, and pods that reach themselves through a service (`hairpin`)
 *   filter hooks            services without endpoints, and other ports of service addresses, are refused at once
 */
import { createHash } from 'node:crypto';
import type { ProxyEndpoint, ServicePort } from './service-ports.ts';

export interface Ruleset {
  /** chain name → its rules; every chain but the base chains */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** set or map name → its elements: key → value, '' in a set */
  readonly elements: ReadonlyMap<ElementsName, ReadonlyMap<string, string>>;
  /** dynamic sets of session affinity: name → time-out in seconds */
  readonly affinitySets: ReadonlyMap<string, number>;
}

export const elementNames = [
  'service-ips',
  'node-ports',
  'guarded-ips',
  'refused-ips',
  'refused-node-ports',
  'cluster-ips',
  'hairpin',
] as const;
export type ElementsName = (typeof elementNames)[number];

const masqueradeMark = '0x4000';

export interface ProxyTable {
  readonly table: string;
  /** the pods of all nodes */
  readonly podCidr: string;
}

/** The part of the table that never changes. */
export function renderBase({ table, podCidr }: ProxyTable): string {
  return `table ip ${table} {
  set pods { type ipv4_addr; flags interval; elements = { ${podCidr} }; }
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  map guarded-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused-node-ports { type inet_proto . inet_service : verdict; }
  set cluster-ips { type ipv4_addr; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain refuse { reject; }
  chain drop-it { drop; }
  chain guard { ip daddr . meta l4proto . th dport vmap @guarded-ips; }
  chain guard-prerouting { type filter hook prerouting priority -110; policy accept; ct state new jump guard; }
  chain guard-output { type filter hook output priority -110; policy accept; ct state new jump guard; }
  chain services {
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
    ip daddr . meta l4proto . th dport vmap @refused-ips
    ip daddr @cluster-ips reject
  }
  chain filter-input {
    type filter hook input priority filter; policy accept;
    ct state new fib daddr type local meta l4proto . th dport vmap @refused-node-ports
    ct state new jump unserved
  }
  chain filter-forward { type filter hook forward priority filter; policy accept; ct state new jump unserved; }
  chain filter-output {
    type filter hook output priority filter; policy accept;
    ct state new fib daddr type local meta l4proto . th dport vmap @refused-node-ports
    ct state new jump unserved
  }
}
`;
}

class Draft {
  readonly chains = new Map<string, readonly string[]>();
  readonly elements = new Map<ElementsName, Map<string, string>>(elementNames.map((name) => [name, new Map()]));
  readonly affinitySets = new Map<string, number>();

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
  const { protocol } = port;
  draft.add('cluster-ips', port.clusterIP);
  for (const { ip } of [...port.endpoints, ...port.externalEndpoints]) draft.add('hairpin', `${ip} . ${ip}`);

  const inside = `${port.clusterIP} . ${protocol} . ${port.port}`;
  if (port.endpoints.length) {
    planBalancing(`svc-${key}`, port, port.endpoints, draft);
    draft.add('service-ips', inside, `goto svc-${key}`);
  } else {
    draft.add('refused-ips', inside, 'goto refuse');
  }

  if (port.guarded) {
    const { ips, ranges } = port.guarded;
    // Also from the address itself: a node that has it as its own asks itself.
    draft.chains.set(`fw-${key}`, [...[...ranges, ...ips].map((range) => `ip saddr ${range} return`), 'drop']);
    for (const ip of ips) draft.add('guarded-ips', `${ip} . ${protocol} . ${port.port}`, `goto fw-${key}`);
  }

  const outside = port.externalIPs.map((ip) => `${ip} . ${protocol} . ${port.port}`);
  if (outside.length === 0 && !port.nodePort) return;
  if (port.externalEndpoints.length || (port.keepsClientAddress && port.endpoints.length)) {
    planExternal(key, port, draft);
    for (const element of outside) draft.add('service-ips', element, `goto ext-${key}`);
    if (port.nodePort) draft.add('node-ports', `${protocol} . ${port.nodePort}`, `goto ext-${key}`);
  }
  if (port.externalEndpoints.length) return;
  // Endpoints on other nodes only: upstream drops, so that a load balancer's health check decides.
  const verdict = port.keepsClientAddress && port.endpoints.length ? 'goto drop-it' : 'goto refuse';
  for (const element of outside) draft.add('refused-ips', element, verdict);
  if (port.nodePort) draft.add('refused-node-ports', `${protocol} . ${port.nodePort}`, verdict);
}

function planExternal(key: string, port: ServicePort, draft: Draft): void {
  const [target, local] = [`svc-${key}`, `loc-${key}`];
  const masquerade = `meta mark set meta mark or ${masqueradeMark}`;
  if (!port.keepsClientAddress) {
    if (!draft.chains.has(target)) planBalancing(target, port, port.externalEndpoints, draft);
    draft.chains.set(`ext-${key}`, [masquerade, `goto ${target}`]);
    return;
  }
  if (port.externalEndpoints.length) planBalancing(local, port, port.externalEndpoints, draft);
  draft.chains.set(`ext-${key}`, [
    ...(port.endpoints.length ? [`ip saddr @pods goto ${target}`, `fib saddr type local ${masquerade} goto ${target}`] : []),
    ...(port.externalEndpoints.length ? [`goto ${local}`] : []),
  ]);
}

function planBalancing(chain: string, port: ServicePort, endpoints: readonly ProxyEndpoint[], draft: Draft): void {
  const { protocol, affinitySeconds } = port;
  if (affinitySeconds === 0) {
    draft.chains.set(chain, [`meta l4proto ${protocol} ${dnatTo(endpoints)}`]);
    return;
  }
  const names = endpoints.map((endpoint) => shortHash(`${chain} ${endpoint.ip}:${endpoint.port} ${affinitySeconds}`));
  const stick = names.map((name) => `ip saddr @aff-${name} goto ep-${name}`);
  const choose = `numgen random mod ${names.length} vmap { ${names.map((name, i) => `${i} : goto ep-${name}`).join(', ')} }`;
  draft.chains.set(chain, [...stick, choose]);
  endpoints.forEach((endpoint, i) => {
    const name = names[i] ?? '';
    draft.affinitySets.set(`aff-${name}`, affinitySeconds);
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
