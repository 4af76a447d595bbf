/**
 * NetworkPolicies of one node as one nftables table, planned from policies and pods. Pure but for what it remembers of objects
 * that did not change.
 *
 *   forward hook `egress`    looks the source up in `out-4`, `ingress` the destination in `in-4`: maps of this node's pods that
 *                            a policy isolates. Who is in neither passes. What the node itself sends to its pods (probes) and
 *                            gets from them is not forwarded, so never judged. Services have been resolved before
 *   `isolated-in-…`          one chain for all pods that the same policies isolate: asks each of these, then drops
 *   `in.NAMESPACE.NAME`      the rules of one policy: who is a peer is judged by the rule's ports, or accepted where it has none
 *   `pods.…-4`               one set per list of label groups that a rule names, with the addresses of their pods on all nodes
 *   `blocks.…-4`             one set per list of address blocks, their exceptions taken out
 *   `ports.…`                one chain per list of ports: a match accepts
 *   `named.…-4`              one set per list of named ports: addresses and ports of all pods that have one of them
 *   `exempt`                 a pod reaches itself; errors about a connection reach its ends
 *   `servers-4`              where a node answers in place of pods (the cluster's DNS): a policy allows it by what its pods
 *                            would be called, and hook `input` judges those of this node
 *
 * A rule is so a few lines, and costs the sum of its peers and ports. Policies that isolate no pod of this node cost nothing here.
 * A pod's birth is an element in each set that it belongs to; chains change with policies, and with the first and last pod that
 * one isolates. Every packet is judged, as if it were the first of its connection: answers (`…-reply`) by the connection that they belong to. So a connection ends when its
 * policy does, and no answer needs a rule.
 *
 * Upstream: https://kubernetes.io/docs/concepts/services-networking/network-policies/, sigs.k8s.io/kube-network-policies.
 */
import { createHash } from 'node:crypto';
import { familyOf, formatAddress, type IPFamily } from '../../api/meta/addresses.ts';
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
import type { Range } from './ranges.ts';

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

/** By namespace and its labels: of a list of things, those that concern its pods. */
type ByNamespace<T> = WeakMap<PolicyPod['namespaceLabels'], Map<string, readonly T[]>>;

interface Isolation {
  readonly side: Side;
  readonly sides: readonly PolicySide[];
  readonly chain: string;
}
/** Who is isolated by which of these. */
interface Isolated {
  readonly sides: readonly PolicySide[];
  readonly concerned: ByNamespace<PolicySide>;
  readonly pods: WeakMap<PolicyPod, readonly Isolation[]>;
}

type LabelGroups = readonly [set: string, selections: readonly PodSelection[]];

/** What is made of policies alone, those that isolate somebody here, and of servers. */
interface Compiled extends Omit<PolicyState, 'pods'> {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, string>;
  /** label groups that rules name, by the names of their sets */
  readonly groups: ReadonlyMap<string, readonly PodSelection[]>;
  readonly concerned: ByNamespace<LabelGroups>;
  /** `tcp/http` → the sets of those rules that name it */
  readonly ports: ReadonlyMap<string, readonly string[]>;
  /** the sets of label groups that a pod is in */
  readonly memberships: WeakMap<PolicyPod, readonly string[]>;
}
interface Rendered {
  readonly ways: readonly { readonly isReply: boolean; readonly rules: readonly string[] }[];
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly sets: ReadonlyMap<string, string>;
  readonly groups: readonly LabelGroups[];
  /** by the names of their sets: `tcp/http` */
  readonly ports: ReadonlyMap<string, readonly string[]>;
}

export class PolicyPlanner {
  readonly #families: readonly IPFamily[];
  /** what is made of one side alone, which most changes leave as it is */
  readonly #rendered = new WeakMap<PolicySide, Rendered>();
  #isolated: Isolated = { sides: [], concerned: new WeakMap(), pods: new WeakMap() };
  #compiled: Compiled;

  constructor(of: readonly IPFamily[]) {
    this.#families = of;
    this.#compiled = this.#compile({ sides: [], servers: [] });
  }

  plan({ sides, pods, servers }: PolicyState): Ruleset {
    if (sides !== this.#isolated.sides) this.#isolated = { sides, concerned: new WeakMap(), pods: new WeakMap() };
    const holders = new Map<string, PolicyPod>();
    for (const pod of pods) for (const ip of pod.ips) holders.set(ip, pod);
    const compiled = this.#compiledFor(this.#sidesInUse(holders.values()), servers);
    const chains = new Map(compiled.chains);
    const elements = new Map<string, Map<string, string>>([...compiled.sets.keys()].map((name) => [name, new Map()]));
    const add = (name: string, key: string, value = ''): void => {
      elements.getOrInsertComputed(name, () => new Map()).set(key, value);
    };
    if (compiled.sides.length > 0) for (const [ip, pod] of holders) this.#place(pod, ip, { chains, add });
    for (const { ip, protocol, nodePort } of servers) add(`servers-${families[familyOf(ip)].suffix}`, `${ip} . ${protocol} . ${nodePort}`);
    for (const name of elements.keys()) if (!this.#isKept(name)) elements.delete(name);
    return { chains, sets: compiled.sets, elements: elements as ReadonlyMap<string, Elements> };
  }

  #sidesInUse(pods: Iterable<PolicyPod>): ReadonlySet<PolicySide> {
    const used = new Set<PolicySide>();
    for (const pod of pods) for (const { sides } of this.#isolationOf(pod)) for (const side of sides) used.add(side);
    return used;
  }

  /** The last one while the same sides are in use. */
  #compiledFor(used: ReadonlySet<PolicySide>, servers: readonly NodeServer[]): Compiled {
    const { sides, servers: before } = this.#compiled;
    if (servers === before && sides.length === used.size && sides.every((side) => used.has(side))) return this.#compiled;
    this.#compiled = this.#compile({ sides: this.#isolated.sides.filter((side) => used.has(side)), servers });
    return this.#compiled;
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
    const isolated = this.#isolationOf(pod);
    const { suffix } = families[familyOf(ip)];
    for (const group of memberships.getOrInsertComputed(pod, () => this.#groupsOf(pod))) add(`${group}-${suffix}`, ip);
    for (const [port, number] of Object.entries(pod.namedPorts))
      for (const set of ports.get(port) ?? []) add(`${set}-${suffix}`, `${ip} . ${port.slice(0, port.indexOf('/'))} . ${number}`);
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

  #groupsOf(pod: PolicyPod): readonly string[] {
    const { groups, concerned } = this.#compiled;
    const near = byNamespace(concerned, pod, () =>
      [...groups].flatMap(([set, selections]) => {
        const here = selections.filter((selection) => inNamespace(selection, pod));
        return here.length > 0 ? [[set, here] as const] : [];
      }),
    );
    return near.filter(([, selections]) => selections.some(({ pods }) => pods.matches(pod.labels))).map(([set]) => set);
  }

  #isolationOf(pod: PolicyPod): readonly Isolation[] {
    if (!pod.isLocal) return [];
    const { sides, concerned, pods } = this.#isolated;
    return pods.getOrInsertComputed(pod, () => {
      const near = byNamespace(concerned, pod, () => sides.filter(({ isolates }) => inNamespace(isolates, pod)));
      const mine = near.filter(({ isolates }) => isolates.pods.matches(pod.labels));
      return [...Map.groupBy(mine, ({ side }) => side)].map(([side, all]) => ({
        side,
        sides: all,
        chain: `isolated-${prefixes[side]}-${shortHash(all.map(({ id }) => id).join(' '))}`,
      }));
    });
  }

  #compile({ sides, servers }: Omit<PolicyState, 'pods'>): Compiled {
    const chains = new Map<string, readonly string[]>();
    const groups = new Map<string, readonly PodSelection[]>();
    const named = new Map<string, readonly string[]>();
    const sets = new Map<string, string>();
    for (const each of sides) {
      const { id, side, allows } = each;
      const rendered = this.#rendered.getOrInsertComputed(each, () => this.#render(each));
      for (const { isReply, rules } of rendered.ways) {
        const ofServers = side === 'egress' ? this.#renderServers(allows, servers, isReply) : [];
        chains.set(policyChain(side, id, isReply), [...rules, ...ofServers]);
      }
      for (const [name, rules] of rendered.chains) chains.set(name, rules);
      for (const [name, declaration] of rendered.sets) sets.set(name, declaration);
      for (const [set, selections] of rendered.groups) groups.set(set, selections);
      for (const [set, ports] of rendered.ports) named.set(set, ports);
    }
    for (const family of this.#families) {
      const { type, suffix } = families[family];
      for (const name of groups.keys()) sets.set(`${name}-${suffix}`, `set { type ${type}; }`);
      for (const name of named.keys()) sets.set(`${name}-${suffix}`, `set { type ${type} . inet_proto . inet_service; }`);
    }
    const ports = new Map<string, string[]>();
    for (const [set, all] of named) for (const port of all) ports.getOrInsertComputed(port, () => []).push(set);
    return { sides, servers, chains, sets, groups, ports, concerned: new WeakMap(), memberships: new WeakMap() };
  }

  #render({ side, allows }: PolicySide): Rendered {
    const chains = new Map<string, readonly string[]>();
    const sets = new Map<string, string>();
    const groups: LabelGroups[] = [];
    const named = new Map<string, readonly string[]>();
    const rules = allows.map(({ peers, ports }) => {
      const verdict = ports ? this.#renderPorts(ports, { chains, named }) : undefined;
      const matches: (readonly [family: IPFamily, set: string])[] = [];
      if (peers?.pods.length) {
        const set = groupSet(peers.pods);
        groups.push([set, peers.pods]);
        for (const family of this.#families) matches.push([family, `${set}-${families[family].suffix}`]);
      }
      for (const family of this.#families) {
        const { type, suffix } = families[family];
        const elements = (peers?.blocks[family] ?? []).map((range) => renderRange(range, family)).join(', ');
        if (!elements) continue;
        const set = `blocks.${shortHash(elements)}-${suffix}`;
        sets.set(set, `set { type ${type}; flags interval; elements = { ${elements} }; }`);
        matches.push([family, set]);
      }
      return { matches: peers && matches, verdict };
    });
    const ways = [true, false].map((isReply) => {
      const peer = (side === 'ingress') === isReply ? 'daddr' : 'saddr';
      const lines = rules.flatMap(({ matches, verdict }) => {
        const end = verdict ? `jump ${portsChain(verdict, isReply)}` : 'accept';
        return matches ? matches.map(([family, set]) => `${families[family].header} ${peer} @${set} ${end}`) : [end];
      });
      return { isReply, rules: lines };
    });
    return { ways, chains, sets, groups, ports: named };
  }

  /** Gives what names their chains. */
  #renderPorts(
    ports: readonly PortMatch[],
    into: { readonly chains: Map<string, readonly string[]>; readonly named: Map<string, readonly string[]> },
  ): string {
    const names = ports.flatMap(({ protocol, isAny, names }) => (isAny ? [] : names.map((name) => `${protocol}/${name}`)));
    const set = `named.${shortHash(names.join(' '))}`;
    if (names.length > 0) into.named.set(set, names);
    const lines = (isReply: boolean): string[] => {
      const [destination, port] = isReply ? ['saddr', 'sport'] : ['daddr', 'dport'];
      const byNumber = ports.flatMap(({ protocol, isAny, ranges }) => {
        if (isAny) return [`meta l4proto ${protocol} accept`];
        const numbers = ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`));
        return numbers.length > 0 ? [`meta l4proto ${protocol} th ${port} { ${numbers.join(', ')} } accept`] : [];
      });
      if (names.length === 0) return byNumber;
      const byName = this.#families.map((family) => {
        const { header, suffix } = families[family];
        return `${header} ${destination} . meta l4proto . th ${port} @${set}-${suffix} accept`;
      });
      return [...byNumber, ...byName];
    };
    const forward = lines(false);
    const hash = shortHash(forward.join('\n'));
    into.chains.set(portsChain(hash, false), forward);
    into.chains.set(portsChain(hash, true), lines(true));
    return hash;
  }

  #renderServers(allows: readonly AllowRule[], servers: readonly NodeServer[], isReply: boolean): string[] {
    const [end, port] = isReply ? ['saddr', 'sport'] : ['daddr', 'dport'];
    return servers
      .filter(({ ip }) => this.#families.includes(familyOf(ip)))
      .filter((server) => allows.some((rule) => allowsDestination(rule, server)))
      .map(({ ip, protocol, nodePort }) => `${families[familyOf(ip)].header} ${end} ${ip} ${protocol} ${port} ${nodePort} accept`);
  }
}

function byNamespace<T>(cache: ByNamespace<T>, { namespace, namespaceLabels }: PolicyPod, find: () => readonly T[]): readonly T[] {
  return cache.getOrInsertComputed(namespaceLabels, () => new Map<string, readonly T[]>()).getOrInsertComputed(namespace, find);
}

const renderRange = ([first, last]: Range<bigint>, family: IPFamily): string =>
  first === last ? formatAddress(first, family) : `${formatAddress(first, family)}-${formatAddress(last, family)}`;

const portsChain = (hash: string, isReply: boolean): string => `ports${isReply ? '-reply' : ''}.${hash}`;
const groupSet = (selections: readonly PodSelection[]): string => `pods.${shortHash(selections.map(({ key }) => key).join(' '))}`;

/** nft takes names of 128 characters. */
const readableIdMax = 90;
function policyChain(side: Side, id: string, isReply = false): string {
  const readable = id.length <= readableIdMax ? id : `${id.slice(0, readableIdMax)}.${shortHash(id)}`;
  return `${prefixes[side]}${isReply ? '-reply' : ''}.${readable}`;
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
