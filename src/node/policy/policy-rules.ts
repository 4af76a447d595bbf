/**
 * A NetworkPolicy as its two sides, each on its own: whom it isolates, and which peers and ports it lets through. Pure; what a
 * rule leaves out means everything, what it lists and nothing meets means nothing. One policy costs each node no more than
 * `policyElementsMax`: a rule that is over it allows nothing, and its pods stay isolated.
 * Upstream: https://kubernetes.io/docs/concepts/services-networking/network-policies/.
 */
import type { LabelSelector } from '../../api/generated/meta-v1.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/generated/networking-v1.ts';
import { addressNumber, type CIDR, familyOf, type IPFamily, parseCIDR } from '../../api/meta/addresses.ts';
import { type LabelMap, LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';
import { mergeRanges, type Range, withoutRanges } from './ranges.ts';

export type Side = 'ingress' | 'egress';

/** A label group: pods of one namespace, or of namespaces, by their labels. Equal ones have one key. */
export interface PodSelection {
  readonly key: string;
  readonly namespace?: string | undefined;
  readonly namespaces: LabelMatcher;
  readonly pods: LabelMatcher;
}

/** So many rules, peers and ports may one policy have on a node, equal and neighbouring blocks and ports counted once. */
export const policyElementsMax = 10_000;

export interface Peers {
  readonly pods: readonly PodSelection[];
  /** exceptions taken out; disjoint and ascending */
  readonly blocks: Readonly<Record<IPFamily, readonly Range<bigint>[]>>;
}

/** Of one protocol: `isAny` or the ranges, disjoint and ascending, and the names. */
export interface PortMatch {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly isAny: boolean;
  readonly ranges: readonly Range<number>[];
  readonly names: readonly string[];
}

export interface AllowRule {
  /** absent: everybody */
  readonly peers?: Peers | undefined;
  /** absent: everything, of any protocol */
  readonly ports?: readonly PortMatch[] | undefined;
}

export interface PolicySide {
  /** `namespace.name` */
  readonly id: string;
  readonly side: Side;
  /** the pods that it isolates */
  readonly isolates: PodSelection;
  readonly allows: readonly AllowRule[];
  /** rules that would make the policy cost too much, and allow nothing */
  readonly leftOut: number;
}

export function sidesOf({ metadata: { namespace, name }, spec }: NetworkPolicy): PolicySide[] {
  const isolates = podSelection({ namespace, pods: spec.podSelector ?? {} });
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])];
  const common = { id: `${namespace}.${name}`, isolates };
  let cost = 0;
  const isWithin = (rule: AllowRule): boolean => {
    const withIt = cost + costOf(rule);
    if (withIt > policyElementsMax) return false;
    cost = withIt;
    return true;
  };
  const allow = (peers: readonly NetworkPolicyPeer[] | undefined, ports: readonly NetworkPolicyPort[] | undefined): AllowRule => ({
    peers: peers?.length ? peersOf(peers, namespace) : undefined,
    ports: ports?.length ? portsOf(ports) : undefined,
  });
  const sideOf = (side: Side, rules: readonly AllowRule[]): PolicySide => {
    const allows = rules.filter(isWithin);
    return { ...common, side, allows, leftOut: rules.length - allows.length };
  };
  const sides: PolicySide[] = [];
  if (types.includes('Ingress'))
    sides.push(
      sideOf(
        'ingress',
        (spec.ingress ?? []).map(({ from, ports }) => allow(from, ports)),
      ),
    );
  if (types.includes('Egress'))
    sides.push(
      sideOf(
        'egress',
        (spec.egress ?? []).map(({ to, ports }) => allow(to, ports)),
      ),
    );
  return sides;
}

function costOf({ peers, ports = [] }: AllowRule): number {
  const ofPeers = peers ? peers.pods.length + peers.blocks.IPv4.length + peers.blocks.IPv6.length : 0;
  return ports.reduce((sum, { ranges, names }) => sum + ranges.length + names.length, 1 + ofPeers);
}

interface SelectionOf {
  /** of the policy, unless the peer says which */
  readonly namespace?: string;
  readonly namespaces?: LabelSelector | undefined;
  readonly pods: LabelSelector;
}

function podSelection({ namespace, namespaces, pods }: SelectionOf): PodSelection {
  const [inside, labels] = [namespaces ? labelMatcher(namespaces) : LabelMatcher.everything, labelMatcher(pods)];
  const key = `${namespaces ? `{${inside}}` : namespace}/{${labels}}`;
  return { key, namespace: namespaces ? undefined : namespace, namespaces: inside, pods: labels };
}

function peersOf(peers: readonly NetworkPolicyPeer[], namespace: string): Peers {
  const pods = new Map<string, PodSelection>();
  const ranges: Record<IPFamily, Range<bigint>[]> = { IPv4: [], IPv6: [] };
  for (const { ipBlock, namespaceSelector, podSelector } of peers) {
    if (!ipBlock) {
      const selection = podSelection({ namespace, namespaces: namespaceSelector, pods: podSelector ?? {} });
      pods.set(selection.key, selection);
      continue;
    }
    const block = parseCIDR(ipBlock.cidr);
    if (!block) continue;
    const except = (ipBlock.except ?? []).map(parseCIDR).filter((each) => each?.family === block.family) as CIDR[];
    ranges[block.family].push(...withoutRanges(rangeOf(block), mergeRanges(except.map(rangeOf), nextAddress)));
  }
  const blocks = { IPv4: mergeRanges(ranges.IPv4, nextAddress), IPv6: mergeRanges(ranges.IPv6, nextAddress) };
  return { pods: [...pods.values()], blocks };
}

const nextAddress = (address: bigint): bigint => address + 1n;

function rangeOf({ address, hostBits }: CIDR): Range<bigint> {
  const [bits, size] = [BigInt(hostBits), 1n << BigInt(hostBits)];
  const first = (address >> bits) << bits;
  return [first, first + size - 1n];
}

function portsOf(ports: readonly NetworkPolicyPort[]): PortMatch[] {
  const byProtocol = Map.groupBy(ports, ({ protocol = 'TCP' }) => protocol.toLowerCase() as PortMatch['protocol']);
  return [...byProtocol].map(([protocol, all]) => ({
    protocol,
    isAny: all.some(({ port }) => port === undefined),
    ranges: mergeRanges(
      all.flatMap(({ port, endPort }) => (typeof port === 'number' ? [[port, endPort ?? port] as const] : [])),
      (port) => port + 1,
    ),
    names: [...new Set(all.flatMap(({ port }) => (typeof port === 'string' ? [port] : [])))],
  }));
}

/** Where pods of a namespace are looked for, by its labels or its name. */
export interface LabelledPod {
  readonly namespace: string;
  readonly namespaceLabels: LabelMap;
  readonly labels: LabelMap;
}

export const inNamespace = ({ namespace, namespaces }: PodSelection, pod: LabelledPod): boolean =>
  namespace === undefined ? namespaces.matches(pod.namespaceLabels) : namespace === pod.namespace;

/** One port of one pod, as a rule may name it. */
export interface Destination {
  readonly pod: LabelledPod;
  readonly ip: string;
  readonly protocol: PortMatch['protocol'];
  readonly port: number;
  readonly portName: string;
}

export function allowsDestination({ peers, ports }: AllowRule, { pod, ip, protocol, port, portName }: Destination): boolean {
  const isPeer = (of: Peers): boolean =>
    of.pods.some((selection) => inNamespace(selection, pod) && selection.pods.matches(pod.labels)) || isInBlocks(of.blocks, ip);
  const isPort = ({ protocol: of, isAny, ranges, names }: PortMatch): boolean =>
    of === protocol && (isAny || names.includes(portName) || ranges.some(([first, last]) => first <= port && port <= last));
  return (!peers || isPeer(peers)) && (!ports || ports.some(isPort));
}

function isInBlocks(blocks: Peers['blocks'], ip: string): boolean {
  const address = addressNumber(ip);
  return blocks[familyOf(ip)].some(([first, last]) => first <= address && address <= last);
}
