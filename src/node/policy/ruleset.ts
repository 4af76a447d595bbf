/**
 * NetworkPolicies of one node as one nftables table, planned from policies and pods. Pure but for what it remembers of objects
 * that did not change.
 *
 *   forward hook `egress`    looks the source up in `out-4`, `ingress` the destination in `in-4`: maps of this node's pods that
 *                            a policy isolates. Who is in neither passes. What the node itself sends to its pods (probes) and
 *                            gets from them is not forwarded, so never judged. Services have been resolved before
 *   `isolated-in-…`          one chain for all pods that the same policies isolate: asks each of these, then drops
 *   `in.NAMESPACE.NAME`      the rules of one policy: a match accepts
 *   `pods.…-4`               one set per label group that a rule names, with the addresses of its pods on all nodes
 *   `port.tcp.http-4`        addresses and ports of all pods that have a port of this name
 *   `exempt`                 a pod reaches itself; errors about a connection reach its ends
 *   `servers-4`              where a node answers in place of pods (the cluster's DNS): a policy allows it by what its pods
 *                            would be called, and hook `input` judges those of this node
 *
 * A pod's birth is an element in each set that it belongs to; chains change with policies alone. Every packet is judged, as if it
 * were the first of its connection: answers (`…-reply`) by the connection that they belong to. So a connection ends when its
 * policy does, and no answer needs a rule.
 *
 * Upstream: https://kubernetes.io/docs/concepts/services-networking/network-policies/, sigs.k8s.io/kube-network-policies.
 */
import { createHash } from 'node:crypto';
import { type CIDR, familyOf, formatAddress, type IPFamily } from '../../api/meta/addresses.ts';
import { own } from '../../api/meta/words.ts';
import type { Elements, Ruleset, Table } from '../nft/ruleset.ts';
import type { PolicyPod } from './policy-pod.ts';
import {
  type AllowRule,
  allowsDestination,
  type Destination,
  inNamespace,
  type PodSelection,
  type PolicySide,
  type PortMatch,
  type Side,
} from './policy-rules.ts';

export const families: Readonly<Record<IPFamily, { readonly header: string; readonly type: string; readonly suffix: string }>> = {
  IPv4: { header: 'ip', type: 'ipv4_addr', suffix: '4' },
  IPv6: { header: 'ip6', type: 'ipv6_addr', suffix: '6' },
};
const prefixes: Readonly<Record<Side, string>> = { ingress: 'in', egress: 'out' };
/** Before filters of others: what they let through is not forwarded for that. */
const priorities: Readonly<Record<Side, string>> = { egress: 'filter - 11', ingress: 'filter - 10' };

export function policyTable(name: string, of: readonly IPFamily[]): Table {
  const lines = (line: (family: (typeof families)[IPFamily]) => string): string =>
    of.map((family) => `${line(families[family])}\n`).join('');
  const base = `\
${lines(
  ({ type, suffix }) => `  map in-${suffix} { type ${type} : verdict; }
  map out-${suffix} { type ${type} : verdict; }
  set self-${suffix} { type ${type} . ${type}; }
  set servers-${suffix} { type ${type} . inet_proto . inet_service; }`,
)}  chain exempt {
    ct state related meta l4proto { icmp, ipv6-icmp } accept
${lines(({ header, suffix }) => `    ${header} saddr . ${header} daddr @self-${suffix} accept`)}  }
  chain egress-reply {
${lines(({ header, suffix }) => `    ${header} daddr vmap @out-${suffix}`)}  }
  chain ingress-reply {
${lines(({ header, suffix }) => `    ${header} saddr vmap @in-${suffix}`)}  }
  chain egress {
    type filter hook forward priority ${priorities.egress}; policy accept;
    ct direction reply goto egress-reply
${lines(({ header, suffix }) => `    ${header} saddr vmap @out-${suffix}`)}  }
  chain ingress {
    type filter hook forward priority ${priorities.ingress}; policy accept;
    ct direction reply goto ingress-reply
${lines(({ header, suffix }) => `    ${header} daddr vmap @in-${suffix}`)}  }
  chain input {
    type filter hook input priority ${priorities.egress}; policy accept;
${lines(({ header, suffix }) => `    ${header} daddr . meta l4proto . th dport @servers-${suffix} ${header} saddr vmap @out-${suffix}`)}  }
`;
  return { family: 'inet', name, base };
}

/** What a node answers in place of a pod, and the port that it does it at. */
export interface NodeServer extends Destination {
  readonly nodePort: number;
}

export interface PolicyState {
  /** the same array while none has changed */
  readonly sides: readonly PolicySide[];
  /** each the same object while it has not changed; an address is the last one's that has it */
  readonly pods: Iterable<PolicyPod>;
  /** the same array while none has changed */
  readonly servers: readonly NodeServer[];
}

/** What a pod has to do with the policies. */
interface Membership {
  readonly groups: readonly string[];
  readonly isolated: readonly { readonly side: Side; readonly sides: readonly PolicySide[]; readonly chain: string }[];
}

/** What is made of policies alone, and of servers. */
interface Compiled extends Omit<PolicyState, 'pods'> {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, string>;
  /** label groups that rules name, by the names of their sets */
  readonly peers: ReadonlyMap<string, PodSelection>;
  /** of each namespace and its labels: those that concern it */
  readonly concerned: WeakMap<PolicyPod['namespaceLabels'], Map<string, Concerned>>;
  readonly ports: ReadonlySet<string>;
  readonly memberships: WeakMap<PolicyPod, Membership>;
}
interface Rendered {
  readonly ways: readonly { readonly isReply: boolean; readonly rules: readonly string[] }[];
  /** by the names of their sets */
  readonly peers: readonly (readonly [set: string, selection: PodSelection])[];
  /** `tcp/http` */
  readonly ports: readonly string[];
}
interface Concerned {
  readonly peers: readonly (readonly [set: string, selection: PodSelection])[];
  readonly sides: readonly PolicySide[];
}

export class PolicyPlanner {
  readonly #families: readonly IPFamily[];
  /** what is made of one side alone, which most changes leave as it is */
  readonly #rendered = new WeakMap<PolicySide, Rendered>();
  #compiled: Compiled;

  constructor(of: readonly IPFamily[]) {
    this.#families = of;
    this.#compiled = this.#compile({ sides: [], servers: [] });
  }

  plan({ sides, pods, servers }: PolicyState): Ruleset {
    if (sides !== this.#compiled.sides || servers !== this.#compiled.servers) this.#compiled = this.#compile({ sides, servers });
    const compiled = this.#compiled;
    const chains = new Map(compiled.chains);
    const elements = new Map<string, Map<string, string>>([...compiled.sets.keys()].map((name) => [name, new Map()]));
    const add = (name: string, key: string, value = ''): void => {
      elements.getOrInsertComputed(name, () => new Map()).set(key, value);
    };
    if (sides.length > 0) {
      const holders = new Map<string, PolicyPod>();
      for (const pod of pods) for (const ip of pod.ips) holders.set(ip, pod);
      for (const [ip, pod] of holders) this.#place(pod, ip, { chains, add });
    }
    for (const { ip, protocol, nodePort } of servers) add(`servers-${families[familyOf(ip)].suffix}`, `${ip} . ${protocol} . ${nodePort}`);
    for (const name of elements.keys()) if (!this.#isKept(name)) elements.delete(name);
    return { chains, sets: compiled.sets, elements: elements as ReadonlyMap<string, Elements> };
  }

  #isKept(name: string): boolean {
    return this.#families.some((family) => name.endsWith(`-${families[family].suffix}`));
  }

  #place(
    pod: PolicyPod,
    ip: string,
    { chains, add }: { readonly chains: Map<string, readonly string[]>; readonly add: (name: string, key: string, value?: string) => void },
  ): void {
    const { memberships, ports } = this.#compiled;
    const { groups, isolated } = memberships.getOrInsertComputed(pod, () => this.#membershipOf(pod));
    const { suffix } = families[familyOf(ip)];
    for (const group of groups) add(`${group}-${suffix}`, ip);
    for (const port of ports) {
      const number = own(pod.namedPorts, port);
      if (number !== undefined) add(`${portSet(port)}-${suffix}`, `${ip} . ${number}`);
    }
    for (const { side, chain } of isolated) add(`${prefixes[side]}-${suffix}`, ip, `goto ${chain}`);
    if (isolated.length > 0) add(`self-${suffix}`, `${ip} . ${ip}`);
    for (const { side, sides, chain } of isolated) {
      if (chains.has(chain)) continue;
      const reply = `${chain}-reply`;
      chains.set(reply, ['jump exempt', ...sides.map(({ id }) => `jump ${policyChain(side, id, true)}`), 'drop']);
      chains.set(chain, [
        `ct direction reply goto ${reply}`,
        'jump exempt',
        ...sides.map(({ id }) => `jump ${policyChain(side, id)}`),
        'drop',
      ]);
    }
  }

  #membershipOf(pod: PolicyPod): Membership {
    const { concerned, peers, sides } = this.#compiled;
    const { peers: groups, sides: isolating } = concerned
      .getOrInsertComputed(pod.namespaceLabels, () => new Map())
      .getOrInsertComputed(pod.namespace, () => ({
        peers: [...peers].filter(([, selection]) => inNamespace(selection, pod)),
        sides: sides.filter(({ isolates }) => inNamespace(isolates, pod)),
      }));
    const mine = pod.isLocal ? isolating.filter(({ isolates }) => isolates.pods.matches(pod.labels)) : [];
    return {
      groups: groups.filter(([, { pods }]) => pods.matches(pod.labels)).map(([set]) => set),
      isolated: [...Map.groupBy(mine, ({ side }) => side)].map(([side, all]) => ({
        side,
        sides: all,
        chain: `isolated-${prefixes[side]}-${shortHash(all.map(({ id }) => id).join(' '))}`,
      })),
    };
  }

  #compile({ sides, servers }: Omit<PolicyState, 'pods'>): Compiled {
    const chains = new Map<string, readonly string[]>();
    const peers = new Map<string, PodSelection>();
    const ports = new Set<string>();
    for (const each of sides) {
      const { id, side, allows } = each;
      const rendered = this.#rendered.getOrInsertComputed(each, () => this.#render(each));
      for (const { isReply, rules } of rendered.ways) {
        const ofServers = side === 'egress' ? this.#renderServers(allows, servers, isReply) : [];
        chains.set(policyChain(side, id, isReply), [...rules, ...ofServers]);
      }
      for (const [set, peer] of rendered.peers) peers.set(set, peer);
      for (const port of rendered.ports) ports.add(port);
    }
    const sets = new Map<string, string>();
    for (const family of this.#families) {
      const { type, suffix } = families[family];
      for (const name of peers.keys()) sets.set(`${name}-${suffix}`, `set { type ${type}; }`);
      for (const port of ports) sets.set(`${portSet(port)}-${suffix}`, `set { type ${type} . inet_service; }`);
    }
    return { sides, servers, chains, sets, peers, ports, concerned: new WeakMap(), memberships: new WeakMap() };
  }

  #render({ side, allows }: PolicySide): Rendered {
    const namedPorts = ({ protocol, isAny, names }: PortMatch): string[] => (isAny ? [] : names.map((name) => `${protocol}/${name}`));
    return {
      ways: [true, false].map((isReply) => ({ isReply, rules: allows.flatMap((rule) => this.#renderRule(rule, side, isReply)) })),
      peers: allows.flatMap(({ peers = [] }) => peers.flatMap((peer) => ('pods' in peer ? [[groupSet(peer), peer] as const] : []))),
      ports: allows.flatMap(({ ports = [] }) => ports.flatMap(namedPorts)),
    };
  }

  #renderServers(allows: readonly AllowRule[], servers: readonly NodeServer[], isReply: boolean): string[] {
    const [end, port] = isReply ? ['saddr', 'sport'] : ['daddr', 'dport'];
    return servers
      .filter(({ ip }) => this.#families.includes(familyOf(ip)))
      .filter((server) => allows.some((rule) => allowsDestination(rule, server)))
      .map(({ ip, protocol, nodePort }) => `${families[familyOf(ip)].header} ${end} ${ip} ${protocol} ${port} ${nodePort} accept`);
  }

  /** Each peer with each protocol is a rule of its own, and each family where they have addresses. */
  #renderRule({ peers, ports }: AllowRule, side: Side, isReply: boolean): string[] {
    const [source, destination, port] = isReply ? ['daddr', 'saddr', 'sport'] : ['saddr', 'daddr', 'dport'];
    const peer = side === 'ingress' ? source : destination;
    const all = this.#families;
    const from: { readonly of: readonly IPFamily[]; readonly match: string }[] =
      peers === undefined
        ? [{ of: all, match: '' }]
        : peers.flatMap((each) => {
            if ('pods' in each)
              return all.map((of) => ({ of: [of], match: `${families[of].header} ${peer} @${groupSet(each)}-${families[of].suffix} ` }));
            if (!all.includes(each.family)) return [];
            const field = `${families[each.family].header} ${peer}`;
            const except = each.except.length > 0 ? `${field} != { ${each.except.map(renderRange).join(', ')} } ` : '';
            return [{ of: [each.family], match: `${field} ${renderRange(each.range)} ${except}` }];
          });
    return from.flatMap(({ of, match }) =>
      (ports?.flatMap((each) => renderPorts(each, { of, destination, port })) ?? ['']).map((ofPort) => `${match}${ofPort}accept`),
    );
  }
}

function renderPorts(
  { protocol, isAny, ranges, names }: PortMatch,
  { of, destination, port }: { readonly of: readonly IPFamily[]; readonly destination: string; readonly port: string },
): string[] {
  const match = `meta l4proto ${protocol} `;
  if (isAny) return [match];
  const numbers = ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`));
  const named = names.flatMap((name) =>
    of.map((family) => {
      const { header, suffix } = families[family];
      return `${match}${header} ${destination} . th ${port} @${portSet(`${protocol}/${name}`)}-${suffix} `;
    }),
  );
  return [...(numbers.length > 0 ? [`${match}th ${port} { ${numbers.join(', ')} } `] : []), ...named];
}

const renderRange = ({ address, family, prefix, hostBits }: CIDR): string =>
  `${formatAddress((address >> BigInt(hostBits)) << BigInt(hostBits), family)}/${prefix}`;

const portSet = (port: string): string => `port.${port.replace('/', '.')}`;
const groupSet = ({ key }: PodSelection): string => `pods.${shortHash(key)}`;

/** nft takes names of 128 characters. */
const readableIdMax = 90;
function policyChain(side: Side, id: string, isReply = false): string {
  const readable = id.length <= readableIdMax ? id : `${id.slice(0, readableIdMax)}.${shortHash(id)}`;
  return `${prefixes[side]}${isReply ? '-reply' : ''}.${readable}`;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
