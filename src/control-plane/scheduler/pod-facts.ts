/**
 * What the scheduler knows of one pod, compiled once: requests, selectors, affinity terms, ports. Two pods whose
 * `classKey` is equal can't be told apart by any plugin of scope `node`.
 */
import type { ContainerPort, PodAffinityTerm, TopologySpreadConstraint } from '../../api/generated/core-v1.ts';
import type { Pod } from '../../api/generated/kinds.ts';
import { type LabelMap, LabelMatcher, labelMatcher } from '../../api/meta/selectors.ts';
import { type NodeMatcher, requiredNodeMatcher } from './node-selection.ts';
import { podNonZeroRequests, podRequests, type Requests } from './pod-requests.ts';

/** One term of pod (anti-)affinity: which pods it means, and what "together" is. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly weight: number;
  means(pod: PodFacts, namespaceLabels: (namespace: string) => LabelMap | undefined): boolean;
}

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

export class PodFacts {
  readonly pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly priority: number;
  readonly requests: Requests;
  readonly nonZero: { readonly milliCPU: number; readonly memoryBytes: number };
  readonly matchesNode: NodeMatcher | undefined;
  readonly hostPorts: readonly HostPort[];
  readonly affinity: { readonly required: readonly AffinityTerm[]; readonly preferred: readonly AffinityTerm[] };
  readonly antiAffinity: { readonly required: readonly AffinityTerm[]; readonly preferred: readonly AffinityTerm[] };
  readonly spread: readonly SpreadConstraint[];
  #classKey: string | undefined;

  /** `known`: facts of an earlier version of the same pod, reused when its spec is still the same generation. */
  constructor(pod: Pod, known?: PodFacts) {
    const { spec } = pod;
    this.pod = pod;
    this.uid = pod.metadata.uid;
    this.namespace = pod.metadata.namespace;
    this.priority = spec.priority ?? 0;
    if (known && pod.metadata.generation !== undefined && known.pod.metadata.generation === pod.metadata.generation) {
      this.requests = known.requests;
      this.nonZero = known.nonZero;
      this.matchesNode = known.matchesNode;
      this.hostPorts = known.hostPorts;
      this.affinity = known.affinity;
      this.antiAffinity = known.antiAffinity;
      this.spread = known.spread;
      return;
    }
    this.requests = podRequests(spec);
    this.nonZero = podNonZeroRequests(spec);
    this.matchesNode = requiredNodeMatcher(spec);
    this.hostPorts = hostPortsOf(pod);
    const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
    this.affinity = compileAffinity(podAffinity, pod);
    this.antiAffinity = compileAffinity(podAntiAffinity, pod);
    this.spread = (spec.topologySpreadConstraints ?? []).map((constraint) => compileConstraint(constraint, pod));
  }

  get labels(): LabelMap {
    return this.pod.metadata.labels ?? {};
  }

  get hasAffinity(): boolean {
    const { affinity, antiAffinity } = this;
    return affinity.required.length + affinity.preferred.length + antiAffinity.required.length + antiAffinity.preferred.length > 0;
  }

  get classKey(): string {
    this.#classKey ??= classKeyOf(this);
    return this.#classKey;
  }
}

function classKeyOf(facts: PodFacts): string {
  const { spec } = facts.pod;
  const { milliCPU, memoryBytes, ephemeralBytes, others } = facts.requests;
  return JSON.stringify([
    [milliCPU, memoryBytes, ephemeralBytes, [...others], facts.nonZero.milliCPU, facts.nonZero.memoryBytes],
    spec.nodeName ?? '',
    spec.nodeSelector ?? null,
    spec.affinity?.nodeAffinity ?? null,
    spec.tolerations ?? null,
    facts.hostPorts,
    [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.image ?? ''),
    (spec.volumes ?? []).flatMap((volume) => volume.image?.reference ?? []),
  ]);
}

function hostPortsOf(pod: Pod): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  const ports: ContainerPort[] = [...pod.spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, hostIP, protocol }) =>
    hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP' }] : [],
  );
}

interface AffinitySpec {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly weight: number;
    readonly podAffinityTerm: PodAffinityTerm;
  }[];
}

function compileAffinity(spec: AffinitySpec | undefined, owner: Pod): { required: AffinityTerm[]; preferred: AffinityTerm[] } {
  return {
    required: (spec?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => compileTerm(term, owner, 1)),
    preferred: (spec?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => compileTerm(p.podAffinityTerm, owner, p.weight)),
  };
}

function compileTerm(term: PodAffinityTerm, owner: Pod, weight: number): AffinityTerm {
  const selector = withLabelKeys(labelMatcher(term.labelSelector), owner, term.matchLabelKeys, term.mismatchLabelKeys);
  const namespaces = new Set(term.namespaces);
  const namespaceSelector = term.namespaceSelector ? labelMatcher(term.namespaceSelector) : undefined;
  if (namespaces.size === 0 && !namespaceSelector) namespaces.add(owner.metadata.namespace);
  return {
    topologyKey: term.topologyKey,
    weight,
    means: (pod, namespaceLabels) =>
      (namespaces.has(pod.namespace) || (namespaceSelector?.matches(namespaceLabels(pod.namespace)) ?? false)) &&
      selector.matches(pod.labels),
  };
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

/** The pod's own values of these keys join the selector. The API server has merged most of them in already. */
function withLabelKeys(selector: LabelMatcher, owner: Pod, same: readonly string[] = [], different: readonly string[] = []): LabelMatcher {
  if (selector.isNothing) return selector;
  const own = (keys: readonly string[], operator: 'in' | 'notin') =>
    keys.flatMap((key) => {
      const value = owner.metadata.labels?.[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  const extra = [...own(same, 'in'), ...own(different, 'notin')];
  return extra.length ? new LabelMatcher([...selector.requirements, ...extra]) : selector;
}
