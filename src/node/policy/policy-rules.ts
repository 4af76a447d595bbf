/**
 * A NetworkPolicy as its two sides, each on its own: whom it isolates, and which peers and ports it lets through. Pure; what a
 * rule leaves out means everything, what it lists and nothing meets means nothing.
 * Upstream: https://kubernetes.io/docs/concepts/services-networking/network-policies/.
 */
import type { LabelSelector } from '../../api/generated/meta-v1.ts';
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/generated/networking-v1.ts';
import { type CIDR, contains, familyOf, type IPFamily, parseCIDR } from '../../api/meta/addresses.ts';
import { type LabelMap, LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';

export type Side = 'ingress' | 'egress';

/** A label group: pods of one namespace, or of namespaces, by their labels. Equal ones have one key. */
export interface PodSelection {
  readonly key: string;
  readonly namespace?: string | undefined;
  readonly namespaces: LabelMatcher;
  readonly pods: LabelMatcher;
}

export interface AddressBlock {
  readonly family: IPFamily;
  readonly range: CIDR;
  /** disjoint */
  readonly except: readonly CIDR[];
}

/** Of one protocol: `isAny` or the ranges, disjoint and ascending, and the names. */
export interface PortMatch {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly isAny: boolean;
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly names: readonly string[];
}

export interface AllowRule {
  /** absent: everybody */
  readonly peers?: readonly (PodSelection | AddressBlock)[] | undefined;
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
}

export function sidesOf({ metadata: { namespace, name }, spec }: NetworkPolicy): PolicySide[] {
  const isolates = podSelection({ namespace, pods: spec.podSelector ?? {} });
  const types = spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])];
  const common = { id: `${namespace}.${name}`, isolates };
  const allow = (peers: readonly NetworkPolicyPeer[] | undefined, ports: readonly NetworkPolicyPort[] | undefined): AllowRule => ({
    peers: peers?.length ? peers.map((peer) => peerOf(peer, namespace)).filter((peer) => peer !== undefined) : undefined,
    ports: ports?.length ? portsOf(ports) : undefined,
  });
  const sides: PolicySide[] = [];
  if (types.includes('Ingress'))
    sides.push({ ...common, side: 'ingress', allows: (spec.ingress ?? []).map(({ from, ports }) => allow(from, ports)) });
  if (types.includes('Egress'))
    sides.push({ ...common, side: 'egress', allows: (spec.egress ?? []).map(({ to, ports }) => allow(to, ports)) });
  return sides;
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

function peerOf(
  { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  namespace: string,
): PodSelection | AddressBlock | undefined {
  if (!ipBlock) return podSelection({ namespace, namespaces: namespaceSelector, pods: podSelector ?? {} });
  const range = parseCIDR(ipBlock.cidr);
  if (!range) return undefined;
  const except = (ipBlock.except ?? []).map(parseCIDR).filter((each) => each?.family === range.family) as CIDR[];
  return { family: range.family, range, except: outermost(except) };
}

/** nft takes no range within another. */
const outermost = (ranges: readonly CIDR[]): CIDR[] =>
  ranges.filter((range, i) => !ranges.some((other, j) => i !== j && contains(other, range) && (!contains(range, other) || j < i)));

function portsOf(ports: readonly NetworkPolicyPort[]): PortMatch[] {
  const byProtocol = Map.groupBy(ports, ({ protocol = 'TCP' }) => protocol.toLowerCase() as PortMatch['protocol']);
  return [...byProtocol].map(([protocol, all]) => ({
    protocol,
    isAny: all.some(({ port }) => port === undefined),
    ranges: merge(all.flatMap(({ port, endPort }) => (typeof port === 'number' ? [[port, endPort ?? port] as const] : []))),
    names: [...new Set(all.flatMap(({ port }) => (typeof port === 'string' ? [port] : [])))],
  }));
}

function merge(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const merged: [number, number][] = [];
  for (const [first, end] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last && first <= last[1] + 1) last[1] = Math.max(last[1], end);
    else merged.push([first, end]);
  }
  return merged;
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
  const isPeer = (peer: PodSelection | AddressBlock): boolean =>
    'pods' in peer ? inNamespace(peer, pod) && peer.pods.matches(pod.labels) : isInBlock(peer, ip);
  const isPort = ({ protocol: of, isAny, ranges, names }: PortMatch): boolean =>
    of === protocol && (isAny || names.includes(portName) || ranges.some(([first, last]) => first <= port && port <= last));
  return (!peers || peers.some(isPeer)) && (!ports || ports.some(isPort));
}

function isInBlock({ range, except }: AddressBlock, ip: string): boolean {
  const single = parseCIDR(`${ip}/${familyOf(ip) === 'IPv4' ? 32 : 128}`);
  return single !== undefined && contains(range, single) && !except.some((each) => contains(each, single));
}
