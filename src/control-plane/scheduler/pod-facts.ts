/**
 * What the scheduler knows of one pod, compiled once: requests, selectors, affinity terms, ports. Two pods whose
 * `classKey` is equal can't be told apart by any plugin of scope `node`.
 */

import type { ContainerPort, TopologySpreadConstraint } from '../../api/generated/core-v1.ts';
import type { Pod } from '../../api/generated/kinds.ts';
import { equalJson } from '../../api/meta/deep-equal.ts';
import type { ObjectKey } from '../../api/meta/object.ts';
import { type LabelMap, LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';
import { own } from '../../api/meta/words.ts';
import { claimKeysOf } from '../../api/predicates/claims.ts';
import { type NodeMatcher, requiredNodeMatcher } from '../../api/predicates/node-selection.ts';
import { isSidecar } from '../../api/predicates/pod-resources.ts';
import { type AffinityTerms, compileAffinity } from './affinity-term.ts';
import { podNonZeroRequests, podRequests, podScoredRequests, type Requests, type ScoredRequests } from './pod-requests.ts';

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly hard: boolean;
  readonly selector: LabelMatcher;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

const noLabels: LabelMap = {};

export class PodFacts {
  #pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: LabelMap;
  readonly priority: number;
  /** its deletion has begun */
  readonly isTerminating: boolean;
  readonly requests: Requests;
  readonly nonZero: ScoredRequests;
  readonly matchesNode: NodeMatcher | undefined;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: AffinityTerms;
  readonly antiAffinity: AffinityTerms;
  readonly spread: readonly SpreadConstraint[];
  /** of its volumes */
  readonly claims: readonly ObjectKey[];
  #classKey: string | undefined;
  #scored: ScoredRequests | undefined;

  /** `known`: facts of an earlier version of the same pod; what can't have changed since is taken from it. */
  constructor(pod: Pod, known?: PodFacts) {
    const { spec } = pod;
    this.#pod = pod;
    this.uid = pod.metadata.uid;
    this.namespace = pod.metadata.namespace;
    this.labels = pod.metadata.labels ?? noLabels;
    this.priority = spec.priority ?? 0;
    this.isTerminating = pod.metadata.deletionTimestamp !== undefined;
    const sameSpec = known && isSameSpec(known.pod.spec, spec);
    const sameRequests = sameSpec && sameResources(known.pod, pod);
    this.requests = sameRequests ? known.requests : podRequests(pod);
    this.nonZero = sameRequests ? known.nonZero : podNonZeroRequests(pod);
    this.matchesNode = sameSpec ? known.matchesNode : requiredNodeMatcher(spec);
    this.hostPorts = sameSpec ? known.hostPorts : hostPortsOf(pod);
    this.affinity = sameSpec ? known.affinity : compileAffinity(spec.affinity?.podAffinity, this.namespace);
    this.antiAffinity = sameSpec ? known.antiAffinity : compileAffinity(spec.affinity?.podAntiAffinity, this.namespace);
    this.claims = sameSpec ? known.claims : claimKeysOf(pod);
    this.spread = (spec.topologySpreadConstraints ?? []).map((constraint) => compileConstraint(constraint, pod));
  }

  get pod(): Pod {
    return this.#pod;
  }
  get name(): string {
    return this.pod.metadata.name;
  }
  /** What it counts for when nodes are scored by what is left. */
  get scored(): ScoredRequests {
    this.#scored ??= podScoredRequests(this.pod, this.nonZero);
    return this.#scored;
  }
  get nominatedNodeName(): string | undefined {
    return this.pod.status?.nominatedNodeName || undefined;
  }
  get classKey(): string {
    this.#classKey ??= classKeyOf(this);
    return this.#classKey;
  }

  /** Takes a newer version of the pod, when that says the same to the scheduler; false: it does not. */
  renew(pod: Pod): boolean {
    const { metadata } = pod;
    const isSame =
      this.isTerminating === (metadata.deletionTimestamp !== undefined) &&
      equalJson(this.labels, metadata.labels ?? noLabels) &&
      isSameSpec(this.pod.spec, pod.spec) &&
      sameResources(this.pod, pod);
    if (isSame) this.#pod = pod;
    return isSame;
  }
}

/** But for the node, which becomes known some time. */
function isSameSpec(a: Pod['spec'], b: Pod['spec']): boolean {
  if (a === b) return true;
  const { nodeName: _, ...rest } = a;
  const { nodeName: __, ...others } = b;
  return equalJson(rest, others);
}

/** Whether two versions of a pod, equal in spec, ask for the same: a resize shows in status first. */
function sameResources(a: Pod, b: Pod): boolean {
  if (a.status === b.status) return true;
  const of = ({ status }: Pod): unknown => [
    ...[...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((s) => [
      s.name,
      s.resources?.requests,
      s.allocatedResources,
    ]),
    status?.resources?.requests,
    status?.allocatedResources,
    status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason,
  ];
  return equalJson(of(a), of(b));
}

function classKeyOf(facts: PodFacts): string {
  const { spec } = facts.pod;
  const { milliCPU, memoryBytes, ephemeralBytes, others } = facts.requests;
  return JSON.stringify([
    [milliCPU, memoryBytes, ephemeralBytes, [...others], facts.scored.milliCPU, facts.scored.memoryBytes],
    spec.nodeName ?? '',
    spec.nodeSelector ?? null,
    spec.affinity?.nodeAffinity ?? null,
    spec.tolerations ?? null,
    facts.hostPorts,
  ]);
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const ports: ContainerPort[] = [...sidecars, ...spec.containers].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, hostIP, protocol }) =>
    hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol || 'TCP' }] : [],
  );
}

function compileConstraint(constraint: TopologySpreadConstraint, owner: Pod): SpreadConstraint {
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    hard: constraint.whenUnsatisfiable === 'DoNotSchedule',
    selector: withLabelKeys(labelMatcher(constraint.labelSelector), owner, constraint.matchLabelKeys),
    honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
  };
}

/** The pod's own values of these keys join the selector. */
function withLabelKeys(selector: LabelMatcher, owner: Pod, keys: readonly string[] = []): LabelMatcher {
  if (selector.isNothing) return selector;
  const extra = keys.flatMap((key) => {
    const value = own(owner.metadata.labels, key);
    return value === undefined ? [] : [{ key, operator: 'in' as const, values: [value] }];
  });
  return extra.length ? new LabelMatcher([...selector.requirements, ...extra]) : selector;
}
